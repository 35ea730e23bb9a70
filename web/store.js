// The one thing that screens talk to: what is on this phone, and the acts that change it.

import { bytes, call } from "./api.js";
import { lockOf } from "./crew.js";
import { Trouble, onFault, openOfficer, rowsOf, write } from "./db.js";
import { fold, headsAt, pathKey, shortCode } from "./fold.js";
import * as media from "./media.js";
import { opId, splitId } from "./ops.js";
import { alone, append, inOrder } from "./outbox.js";
import * as session from "./session.js";
import * as signature from "./signature.js";
import { isTooNew, sceneOf } from "./standing.js";
import { Sync } from "./sync.js";
import { viewOf } from "./view.js";

/** @import { Medium, Row } from "./db.js" */

/**
 * @typedef {object} State          a snapshot; a new object whenever anything in it changes
 * @property {boolean} ready        the database is open and the boot is done
 * @property {null|{code: "db_closed"|"db_blocked"|"db_failed"|"db_full", detail: string}} fault  blocking: no input behind it, only export
 * @property {null|{id: string, name: string, username: string, unit: string, roles: string[]}} officer  who is signed in here (offline too)
 * @property {boolean} enrolled     this phone has its key and the server knows it
 * @property {string} rid           this phone's replica id ("" before enrolling)
 * @property {string} phone         the phone's name as enrolled
 * @property {null|"signin"|"update"} paused  sending waits for a new sign-in (401) or for a newer app (426)
 * @property {null|boolean} online  our endpoint answered last time; null: not tried yet
 * @property {boolean} sending      an exchange or an upload is under way
 * @property {string|null} proven_at    when the server last answered (RFC 3339)
 * @property {string|null} lease_until  after it the phone should be taken online again (72 h after proven_at)
 * @property {Tally} tally          over all visits
 * @property {string|null} oldest   `at` of the oldest unsent item; alarm when older than 3 days
 * @property {{usage: number, quota: number, persisted: boolean, photos_left: number}} storage
 * @property {{id: string, name: string, unsent: number}[]} others  other officers' unsent items on this phone
 * @property {{code: string, text: string}[]} notices  of the server, or of re-sending (`asked_anew`: sign again)
 * @property {boolean} update_ready a newer app waits; it starts when all its windows were closed
 * @property {number} revision      grows with every change of any visit; a cheap dependency for effects
 *
 * @typedef {{records: number, records_on_server: number, photos: number, photos_on_server: number, at: string|null}} Tally
 *
 * @typedef {object} Item           one line of the outbox
 * @property {string} id            op id, or the sha256 of a medium
 * @property {string} visit
 * @property {string} kind          an op kind, or "photo", "signature"
 * @property {string[]} path
 * @property {"saved"|"sending"|"server"|"held"|"conflict"|"quarantined"|"late"|"attention"} state
 * @property {string|null} reason   code of the words page (quarantine reason, `fork`, `dead`), null elsewhere
 * @property {number} progress      0..100, of uploads
 * @property {string} at
 * @property {number} bytes
 *
 * @typedef {object} Visit
 * @property {string} id
 * @property {any} assignment       as in the exchange (`subject`, `crew`, `tasks`, `window`, `phrases`, `nonce`, `devices`, `tpl`...)
 * @property {any} template         the checklist document, null while not here
 * @property {any} view             as `GET /api/visits/<id>/view` (folded on this phone, unsent acts included)
 * @property {any} folded           registers with heads, rows, media, withdrawn, conflicts
 * @property {any[]} entries        {n, op, received_at, verdict, reason} in journal order, then this phone's unsent ones
 * @property {Photo[]} media        live photos of the visit, newest last
 * @property {Tally} tally
 * @property {Member[]} board
 * @property {{bytes: number, complete: boolean}} on_phone   complete: assignment, template and ops are here
 * @property {boolean} withdrawn    no longer assigned: closed here, and what is unsent is still sent
 * @property {boolean} leader       the officer here is today's leader
 * @property {null|"update"|"conflict"|"template"|"final"} no_signing   why signing is off
 *
 * @typedef {object} Member        a line of the group board; what its phone holds is as the server last said
 * @property {string} officer
 * @property {string} name
 * @property {boolean} leader
 * @property {string|null} phone
 * @property {string|null} last    its last exchange
 * @property {{ops: number, media: number, bytes: number, oldest: string|null}|null} pending
 * @property {number} ops          how many of his are here
 * @property {string|null} signature   state of the best one: current, stale, weak...
 * @property {string|null} removed reason
 *
 * @typedef {object} Photo
 * @property {string} sha256
 * @property {string} for
 * @property {string} caption
 * @property {"camera"|"gallery"} source
 * @property {string|null} taken
 * @property {string} author
 * @property {string} mime
 * @property {number} size
 * @property {"saved"|"sending"|"server"|"elsewhere"|"attention"} state   `elsewhere`: on a colleague's phone, not on the server yet or not looked up
 * @property {number} progress
 */

// --- state ------------------------------------------------------------------------------------------------------------

const DEBOUNCE_MS = 2000;
const POLL_MS = 60_000;
/** A photo to come is reckoned at this, and so much is left to the phone itself. */
const PHOTO_BYTES = 6_000_000;
const RESERVE_BYTES = 50_000_000;

/** @type {State} */
let now = {
  ready: false, fault: null, officer: null, enrolled: false, rid: "", phone: "", paused: null, online: null,
  sending: false, proven_at: null, lease_until: null, oldest: null, others: [], notices: [], update_ready: false,
  tally: { records: 0, records_on_server: 0, photos: 0, photos_on_server: 0, at: null },
  storage: { usage: 0, quota: 0, persisted: false, photos_left: 0 }, revision: 0,
}; // prettier-ignore

/** @type {import("./session.js").Here | null} */
let here = null;
/** @type {Sync | null} */
let sync = null;
/** @type {BroadcastChannel | null} */
let channel = null;
/** @type {Set<() => void>} */
const listeners = new Set();
let told = false;

/** @returns {State} */
export const state = () => now;

/** Calls `fn` after each change (batched in a microtask). @param {() => void} fn @returns {() => void} unsubscribe */
export function subscribe(fn) {
  listeners.add(fn);
  return () => void listeners.delete(fn);
}

/** @param {Partial<State>} change */
function set(change) {
  now = { ...now, ...change };
  if (told) return;
  told = true;
  queueMicrotask(() => {
    told = false;
    for (const fn of listeners) fn();
  });
}

onFault((code, detail = "") => {
  if (code ? now.fault?.code !== code : now.fault?.code === "db_full") set({ fault: code && { code, detail } });
});

/** @returns {import("./session.js").Here} */
function mine() {
  if (!here) throw new Trouble("signed_out");
  return here;
}

/** Visits changed, by this tab or another. @param {string[]} ids none: only what is counted @param {boolean} [heard] from another tab */
function changed(ids, heard = false) {
  for (const id of ids) folds.delete(id);
  if (!ids.length) folds.clear();
  set({ revision: now.revision + 1 });
  if (!heard) channel?.postMessage(ids);
  void count();
}

let counting = false;
let countAgain = false;

/** Tally, alarm and others' queues; one at a time. */
async function count() {
  countAgain = true;
  if (counting || !here) return;
  counting = true;
  try {
    while (countAgain && here) {
      countAgain = false;
      const { db, officer } = here;
      const open = await db.getAllFromIndex("ops", "open");
      const times = open.map(({ op }) => op.at).sort((a, b) => Date.parse(a) - Date.parse(b));
      const photos = (await db.getAll("media")).filter(({ role }) => role === "original");
      const records = await db.countFromIndex("ops", "mine");
      const proven = (await db.get("kv", "proven")) ?? null;
      const device = await db.get("kv", "device");
      const { id, name, username, unit, roles } = officer;
      const anew = await db.get("kv", "asked_anew");
      set({
        officer: { id, name, username, unit, roles },
        enrolled: !!device,
        rid: device?.rid ?? "",
        phone: device?.name ?? "",
        oldest: times[0] ?? null,
        proven_at: proven,
        lease_until: proven && new Date(Date.parse(proven) + session.LEASE_MS).toISOString(),
        notices: [...(sync?.status.notices ?? []), ...(anew ? [{ code: "asked_anew", text: String(anew) }] : [])],
        tally: {
          records,
          records_on_server: records - open.length,
          photos: photos.length,
          photos_on_server: photos.filter(isProven).length,
          at: proven,
        },
        others: await session.others(id),
        storage: await room(),
      });
    }
  } catch (error) {
    // Later the old figures stay; but nobody is told that he isn't signed in because he couldn't be read.
    if (!now.officer && !now.fault) set({ fault: { code: "db_failed", detail: String(error) } });
  } finally {
    counting = false;
  }
}

/** @param {Medium} medium */
const isProven = ({ todo }) => !todo;

async function room() {
  const { usage = 0, quota = 0 } = (await navigator.storage?.estimate?.().catch(() => null)) ?? {};
  const persisted = (await navigator.storage?.persisted?.()) ?? false;
  return {
    usage,
    quota,
    persisted,
    photos_left: Math.max(0, Math.floor((quota - usage - RESERVE_BYTES) / PHOTO_BYTES)),
  };
}

function heard() {
  if (!sync) return;
  const { online, sending, paused, proven_at } = sync.status;
  set({ online, sending, paused, proven_at: proven_at ?? now.proven_at });
}

// --- beginning and ending ---------------------------------------------------------------------------------------------

/** Opens the databases, starts the sync triggers. Called once by app.js. @returns {Promise<void>} */
export async function boot() {
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "visible") sync?.soon(0);
  });
  addEventListener("online", () => sync?.first());
  addEventListener("beforeunload", (event) => {
    if (isDirty) event.preventDefault();
  });
  setInterval(() => {
    if (document.visibilityState === "visible" && !sync?.running) sync?.soon(0);
  }, POLL_MS);
  try {
    const known = await session.resume();
    if (known) await enter(known);
    else set({ others: await session.others(undefined) });
    sync?.first();
  } catch (error) {
    if (!now.fault) set({ fault: { code: "db_failed", detail: String(error) } });
  }
  set({ ready: true });
}

/** @param {import("./session.js").Here} known */
async function enter(known) {
  leave();
  here = known;
  sync = new Sync(known, changed, heard);
  channel = new BroadcastChannel(known.db.name);
  channel.onmessage = ({ data }) => changed(data, true);
  await count();
  void media
    .finishCaptures(known.db)
    .then(() => media.tryAgain(known.db))
    .then(() => drawSmall())
    .catch(() => {});
}

function leave() {
  sync?.stop();
  channel?.close();
  here?.db.close();
  here = sync = channel = null;
  folds.clear();
  latest.clear();
  for (const url of urls.values()) void url.then((known) => known && URL.revokeObjectURL(known));
  urls.clear();
}

/** Signs in; enrols the phone again by itself where it was enrolled before.
 * Rejects with {code}: `no_answer` without network, `wrong_credentials`, `too_many`.
 * @param {string} username @param {string} password @returns {Promise<{enrolled: boolean}>} */
export async function signIn(username, password) {
  const known = await session.signIn(username, password);
  const enrolled = !!(await known.db.get("kv", "device"));
  if (enrolled) await session.enrol(known);
  await enter(known);
  if (enrolled) sync?.soon(0);
  return { enrolled };
}

/** Makes rid and key, and tells the server. Asks for persistent storage. @param {string} name the phone's name @returns {Promise<void>} */
export async function enrol(name) {
  await navigator.storage?.persist?.();
  const answer = await session.enrol(mine(), name);
  if (answer.kind !== "ok") throw new Trouble(answer.kind === "away" ? "no_answer" : answer.code);
  await count();
  sync?.soon(0);
}

/** With unsent items it answers {done: false, unsent, confirm}: ask the person to type `confirm` (the number), offer exportQueue(), call again.
 * Nothing is deleted from the phone. @param {string} [typed] @returns {Promise<{done: boolean, unsent: number, confirm: string}>} */
export async function signOut(typed) {
  const unsent = await session.unsentIn(mine().db);
  const confirm = String(unsent);
  if (unsent && typed !== confirm) return { done: false, unsent, confirm };
  const leaving = mine();
  await session.signOut(leaving);
  leave();
  set({
    officer: null,
    enrolled: false,
    rid: "",
    phone: "",
    others: await session.others(undefined),
    revision: now.revision + 1,
  });
  return { done: true, unsent, confirm };
}

// --- reading ----------------------------------------------------------------------------------------------------------

/** @typedef {import("./signature.js").Seen} Seen */
/** What was folded, until it changes. @type {Map<string, Promise<Visit | null>>} */
const folds = new Map();
/** What was written here last at a path: its author knows it before any screen shows it. @type {Map<string, string>} */
const latest = new Map();
/** What a screen was last given: an edit's base is what it shows. @type {Map<string, Visit>} */
const shown = new Map();

/** Today's list, by window. Cheap: cached until something changed. @returns {Promise<Visit[]>} */
export async function visits() {
  if (!here) return [];
  const ids = (await here.db.getAllKeys("assignments")).map(String);
  const all = /** @type {Visit[]} */ ((await Promise.all(ids.map(visitOf))).filter(Boolean));
  const from = (/** @type {Visit} */ v) => `${v.assignment.window?.from} ${v.id}`;
  return all.sort((a, b) => (from(a) < from(b) ? -1 : 1));
}

/** @param {string} id @returns {Promise<Visit|null>} the same object until something of it changed */
export async function visit(id) {
  if (sync && !sync.watched.has(id)) {
    sync.watched = new Set([id]);
    sync.soon(DEBOUNCE_MS);
  }
  return visitOf(id);
}

/** @param {string} id @returns {Promise<Visit | null>} */
async function visitOf(id) {
  let folding = folds.get(id);
  if (!folding) {
    folds.set(id, (folding = read(id)));
    folding.catch(() => folds.delete(id));
  }
  const found = await folding;
  if (found) shown.set(id, found);
  return found;
}

/** Everything of a visit that this phone has, at one moment. @param {string} id @returns {Promise<Visit | null>} */
async function read(id) {
  const { db, officer } = mine();
  const tx = db.transaction(["assignments", "templates", "ops", "media", "kv", "chunks"]);
  const assignment = await tx.objectStore("assignments").get(id);
  if (!assignment) return null;
  const [kept, all, rows, board] = await Promise.all([
    tx.objectStore("templates").get(assignment.tpl),
    tx.objectStore("ops").getAll(rowsOf(id)),
    tx.objectStore("media").getAll(rowsOf(id)),
    tx.objectStore("kv").get(`board:${id}`),
  ]);
  const seen = await foldRows(assignment, kept?.doc ?? null, all);
  const { entries, view, scene } = seen;
  const folded = fold(
    entries.flatMap(({ op }) => (op ? [op] : [])),
    scene.effective,
  );
  const photos = await photosOf(id, folded, rows, view);
  const own = all.filter((/** @type {Row} */ row) => row.mine && row.again === undefined);
  const mineHere = rows.filter((/** @type {Medium} */ row) => row.role === "original");
  const bytesHere = JSON.stringify(assignment).length + (kept?.bytes ?? 0) + JSON.stringify(all).length;
  return {
    id, assignment, template: kept?.doc ?? null, view, folded, entries, media: photos,
    tally: {
      records: own.length,
      records_on_server: own.filter((/** @type {Row} */ row) => !row.open).length,
      photos: mineHere.length,
      photos_on_server: mineHere.filter(isProven).length,
      at: now.proven_at,
    },
    board: boardOf(assignment, view, entries, board ?? []),
    on_phone: {
      bytes: bytesHere + rows.reduce((/** @type {number} */ sum, /** @type {Medium} */ { size }) => sum + size, 0),
      complete: !!kept && all.length > 0,
    },
    withdrawn: assignment.withdrawn,
    leader: view.leader === officer.id,
    no_signing: noSigning(seen, kept),
  }; // prettier-ignore
}

/** @param {any} assignment @param {any} template @param {Row[]} rows */
async function foldRows(assignment, template, rows) {
  const { id, tpl, subject, crew, window } = assignment;
  const entries = inOrder(rows);
  const frame = { visit: id, tpl, subject: { name: subject.name, uscc: subject.uscc } };
  /** Signature images that aren't on the server yet come by themselves: only the server waits for them. @type {Facts} */
  const facts = {
    items: template?.items ?? [],
    here: { has: () => true },
    held: [],
    certificates: Object.fromEntries(crew.map((/** @type {any} */ it) => [it.officer, it.certificate_to])),
    window,
  };
  const scene = sceneOf(entries, frame, facts);
  return { entries, frame, facts, scene, view: await viewOf(entries, frame, facts), tooNew: isTooNew(entries) };
}

/** @param {{view: any, tooNew: boolean}} seen @param {any} template @returns {Visit["no_signing"]} */
function noSigning({ view, tooNew }, template) {
  if (tooNew) return "update";
  if (!template) return "template";
  if (view.phase === "final" || view.phase === "void") return "final";
  return view.conflicts.length ? "conflict" : null;
}

/** @param {string} id @param {Folded} folded @param {Medium[]} rows @param {any} view @returns {Promise<Photo[]>} */
async function photosOf(id, folded, rows, view) {
  const photos = [];
  for (const [sha256, it] of folded.media) {
    if (!it.alive) continue;
    const [op] = [...it.makers].sort((a, b) => (opId(a) < opId(b) ? -1 : 1));
    const row = rows.find((known) => known.sha256 === sha256);
    const { val, author, at } = op;
    const content = view.content.media[sha256] ?? {};
    photos.push({
      sha256, for: content.for ?? val.for, caption: content.caption ?? "", source: val.source, taken: val.taken, author, at,
      mime: val.mime, size: val.size, state: row ? mediumState(row) : fetched.has(id + sha256) ? "server" : "elsewhere",
      progress: media.progress.get(sha256) ?? 0,
    }); // prettier-ignore
  }
  return /** @type {any} */ (photos.sort((a, b) => Date.parse(a.at) - Date.parse(b.at)));
}

/** @param {Medium} row @returns {"saved" | "sending" | "server" | "attention"} */
function mediumState(row) {
  if (isProven(row)) return "server";
  if (media.isGivenUp(row)) return "attention";
  return media.progress.has(row.sha256) || row.uploaded ? "sending" : "saved";
}

const RANK = ["current", "weak", "awaiting_image", "awaiting_ops", "stale", "invalid"];

/** @param {any} assignment @param {any} view @param {any[]} entries @param {any[]} board as the server last said @returns {Member[]} */
function boardOf(assignment, view, entries, board) {
  const names = new Map(
    [...assignment.crew, ...(assignment.former ?? [])].map((/** @type {any} */ it) => [it.officer, it.name]),
  );
  const assigns = entries.filter(({ op }) => op?.kind === "assign").map(({ op }) => op);
  const officers = [...new Set([...assigns.map((op) => op.path[1]), ...names.keys()])];
  return officers.map((officer) => {
    const last = assigns.findLast((op) => op.path[1] === officer);
    const said = board
      .filter((it) => it.officer === officer && it.rid)
      .sort((a, b) => (a.seen_at < b.seen_at ? 1 : -1))[0];
    const states = view.signatures
      .filter((/** @type {any} */ it) => it.signer === officer)
      .map((/** @type {any} */ it) => it.state)
      .sort((/** @type {string} */ a, /** @type {string} */ b) => RANK.indexOf(a) - RANK.indexOf(b));
    return {
      officer,
      name: names.get(officer) ?? board.find((it) => it.officer === officer)?.name ?? officer,
      leader: view.leader === officer,
      phone: said?.device ?? null,
      last: said?.seen_at ?? null,
      pending: said?.pending ?? null,
      ops: entries.filter(({ op }) => op?.author === officer).length,
      signature: states[0] ?? null,
      removed: last?.val.role === "removed" ? (last.val.reason ?? "") : null,
    };
  });
}

/** The base for `act`: what is rendered now. A member on a field of two versions gets only his own head, the leader all of them.
 * Synchronous: call it when the field gains focus (after `visit(id)` was awaited). @param {string} id @param {string[]} path @returns {string[]} op ids */
export function heads(id, path) {
  const seen = shown.get(id);
  const own = latest.get(id + pathKey(path));
  if (own && !seen?.entries.some(({ op }) => op && opId(op) === own)) return [own];
  if (!seen || !here) return [];
  const register = seen.folded.registers.get(pathKey(path));
  if (!register || register.values.length < 2 || seen.leader) return headsAt(seen.folded, path);
  const { id: me } = here.officer;
  return register.heads.filter((/** @type {any} */ op) => op.author === me).map(opId);
}

// --- acting -----------------------------------------------------------------------------------------------------------

/** Rejects with {code: `withdrawn` | `recused` | `interrupted`} where the officer here writes nothing; a member's own word
 * on an interest is always taken. @param {string} id visit @param {string} [field] */
async function permit(id, field) {
  const { officer } = mine();
  const seen = await visitOf(id);
  const lock = seen && lockOf(seen, officer.id);
  if (lock && (lock === "withdrawn" || field !== `no_interest:${officer.id}`)) throw new Trouble(lock);
}

/** Makes one op; resolves with its id when it is durable on the disk, rejects (and nothing happened) otherwise.
 * @param {string} id visit @param {string} kind `add` `set` `del` `undel` `retract` `confirm` @param {string[]} path @param {any} val
 * @param {string[]} [base] from heads(); left out: heads(id, path) now @param {{geo?: any}} [more] @returns {Promise<string>} op id (of an `add`: the row's id) */
export async function act(id, kind, path, val, base = heads(id, path), more = {}) {
  const { db, officer } = mine();
  const draft = { kind, path, val, base, author: officer.id, geo: more.geo ?? null };
  const op = await alone(db, id, () => permit(id, path[1]).then(() => append(db, id, draft)));
  const made = opId(op);
  if (kind === "set") latest.set(id + pathKey(path), made);
  if (kind === "add") for (const field of Object.keys(val)) latest.set(id + pathKey([path[0], made, field]), made);
  appended(id);
  return made;
}

/** @param {string} id */
function appended(id) {
  changed([id]);
  sync?.soon(DEBOUNCE_MS);
}

/** Keeps the originals, in order; each is reported as soon as it is durable. Rejects with {code: "no_room"} before anything is written.
 * @param {string} id visit @param {string} target `visit` | `answer:<point>` | `finding:<row>` @param {Iterable<File>} files @param {"camera"|"gallery"} source
 * @param {(done: {sha256: string, n: number, of: number}) => void} [each] @returns {Promise<{sha256: string, op: string}[]>} */
export async function addPhotos(id, target, files, source, each) {
  const all = [...files];
  await permit(id);
  const { usage, quota } = await room();
  if (quota && quota - usage < all.reduce((sum, { size }) => sum + size * 1.2, 0)) throw new Trouble("no_room");
  const kept = [];
  for (const file of all) {
    const done = await media.keepPhoto(
      mine().db,
      id,
      file,
      { for: target, source },
      source === "camera" ? lastPlace() : null,
    );
    kept.push(done);
    appended(id);
    each?.({ sha256: done.sha256, n: kept.length, of: all.length });
  }
  void drawSmall();
  return kept;
}

let drawing = Promise.resolve();

/** Renditions are made one after the other, out of the way. */
function drawSmall() {
  drawing = drawing.then(() => (here ? media.drawSmall(here.db, () => changed([])) : undefined)).catch(() => {});
  return drawing.then(() => sync?.soon(DEBOUNCE_MS));
}

/** @type {Map<string, Promise<string | null>>} */
const urls = new Map();
/** Colleagues' pictures that the server has. @type {Set<string>} */
const fetched = new Set();

/** An object URL of a picture (thumb: at once on the phone that took it; a colleague's comes from the server), null when it can't be had now.
 * The URL stays good while the app runs. @param {string} id visit @param {string} sha256 @param {"thumb"|"small"|"original"} [as] @returns {Promise<string|null>} */
export async function mediaUrl(id, sha256, as = "thumb") {
  const key = `${sha256}:${as}`;
  let url = urls.get(key);
  if (!url) urls.set(key, (url = pictureOf(id, sha256, as).then((blob) => blob && URL.createObjectURL(blob))));
  const found = await url.catch(() => null);
  if (!found) urls.delete(key);
  return found;
}

/** @param {string} id @param {string} sha256 @param {"thumb"|"small"|"original"} as */
async function pictureOf(id, sha256, as) {
  const { db, officer } = mine();
  const own =
    as === "original"
      ? await media.blobOf(db, sha256, "image/jpeg")
      : await media.blobOf(db, `${sha256}:${as}`, "image/jpeg");
  const original = await db.get("media", [id, sha256]);
  if (own) {
    if (!original) there(id, sha256);
    return own;
  }
  if (original) return original.mime.startsWith("image/") ? media.blobOf(db, sha256, original.mime) : null;
  const data = await bytes(`/api/media/${sha256}${as === "original" ? "" : `?as=${as}`}`, officer.token);
  if (!data) return null;
  if (as === "thumb") await write(db, ["chunks"], (tx) => media.putChunks(tx, `${sha256}:${as}`, data));
  there(id, sha256);
  return new Blob([data], { type: "image/jpeg" });
}

/** A colleague's picture came from the server, now or before: the screens say so. @param {string} id @param {string} sha256 */
function there(id, sha256) {
  if (fetched.has(id + sha256)) return;
  fetched.add(id + sha256);
  changed([id]);
}

// --- signing ----------------------------------------------------------------------------------------------------------

/** What this phone holds of a visit at this moment. @param {string} id @returns {Promise<Seen>} */
async function look(id) {
  const { db } = mine();
  const assignment = await db.get("assignments", id);
  const kept = await db.get("templates", assignment.tpl);
  return foldRows(assignment, kept?.doc ?? null, await db.getAll("ops", rowsOf(id)));
}

/** What a signature would bind to. @param {string} id @returns {Promise<{digest: string|null, short: string|null}>} */
export async function signable(id) {
  const digest = (await visitOf(id))?.view.digest ?? null;
  return { digest, short: shortCode(digest) };
}

/** Signs over exactly the digest that was shown; rejects with {code: "digest_changed"} when the content moved meanwhile.
 * @param {string} id visit @param {string} signer officer id | `subject` | `witness` | `expert:<id>`
 * @param {{png: Blob, strokes: any|null} | {refused: string}} mark @param {string} digest as shown @returns {Promise<string>} op id */
export async function captureSignature(id, signer, mark, digest) {
  const { db, officer } = mine();
  await permit(id);
  const op = await signature.sign(db, id, officer.id, signer, mark, digest, () => look(id));
  await write(db, ["kv"], (tx) => tx.objectStore("kv").delete("asked_anew"));
  appended(id);
  return op;
}

/** Confirms one's weak signature from one's own phone. @param {string} id visit @param {string} signOp @returns {Promise<string>} */
export const confirmSignature = (id, signOp) => act(id, "confirm", ["sign", mine().officer.id], { op: signOp }, []);

/** What a signature's content and today's differ in: [{path, then, now}]. @param {string} id visit @param {string} signOp @returns {Promise<{path: string[], then: any, now: any}[]>} */
export const changesSince = async (id, signOp) => signature.changes(await look(id), signOp);

/** The leader's; may be made offline. @param {string} id visit @returns {Promise<string>} op id */
export async function proposeFinal(id) {
  const { db, officer } = mine();
  await permit(id);
  const op = await signature.propose(db, id, officer.id, () => look(id));
  appended(id);
  return op;
}

/** The leader gives effect to what was set aside; only with the server at hand. @param {string} id visit @param {string} op @param {string} reason @returns {Promise<void>} */
export async function admit(id, op, reason) {
  await permit(id);
  const json = { kind: "admit", path: ["op", op], val: { reason } };
  const answer = await call("POST", `/api/visits/${id}/acts`, { token: mine().officer.token, json });
  if (answer.kind !== "ok") throw new Trouble(answer.kind === "away" ? "no_answer" : answer.code);
  await sync?.run();
}

// --- the outbox -------------------------------------------------------------------------------------------------------

/** Everything not settled, oldest first; `all`: settled ones too. @param {boolean} [all] @returns {Promise<Item[]>} */
export async function outbox(all = false) {
  const { itemsOf } = await import("./queue.js");
  if (!here) return [];
  return itemsOf(here.db, all, (id) => sync?.status.ops.has(id), visitOf, mediumState, media.progress);
}

/** What the public log says of this phone's records in a visit; `anew`: asked and checked now. @param {string} id visit @param {boolean} [anew] */
export const receipts = async (id, anew = false) => (await import("./receipts.js")).receiptsOf(mine(), id, anew);

/** The rescue export (a tar: about.json, ops.jsonl and media), works signed out and with a failing network. @param {string} [officer] @returns {Promise<Blob>} */
export async function exportQueue(officer = here?.officer.id) {
  const { rescueOf } = await import("./rescue.js");
  if (here && officer === here.officer.id) return rescueOf(here.db, here.officer);
  const other = now.others.find(({ id }) => id === officer) ?? now.others[0];
  if (!other) throw new Trouble("signed_out");
  const db = await openOfficer(other.id);
  return rescueOf(db, other).finally(() => db.close());
}

/** Tries at once, waiting times forgotten. @returns {Promise<void>} when the round has ended, well or not */
export async function syncNow() {
  if (!here || !sync) return;
  await media.tryAgain(here.db);
  await drawing;
  await sync.drain();
}

// --- the phone --------------------------------------------------------------------------------------------------------

/** @type {{at: number, geo: {lat_e7: number, lon_e7: number, acc_cm: number}} | null} */
let place = null;
const PLACE_MS = 5 * 60_000;

const lastPlace = () => (place && Date.now() - place.at < PLACE_MS ? place.geo : null);

/** Where the phone is, or null; never throws, waits 8 s at most. @returns {Promise<{lat_e7: number, lon_e7: number, acc_cm: number}|null>} */
export const position = () =>
  new Promise((resolve) => {
    if (!navigator.geolocation) return resolve(null);
    navigator.geolocation.getCurrentPosition(
      ({ coords: { latitude, longitude, accuracy } }) => {
        const e7 = (/** @type {number} */ degrees) => Math.round(degrees * 1e7);
        place = {
          at: Date.now(),
          geo: { lat_e7: e7(latitude), lon_e7: e7(longitude), acc_cm: Math.round(accuracy * 100) },
        };
        resolve(place.geo);
      },
      () => resolve(null),
      { timeout: 8000, maximumAge: 60_000, enableHighAccuracy: true },
    );
  });

let isDirty = false;

/** While true closing asks. (A new version never takes over a running app: it starts when all its windows were closed.) @param {boolean} dirty */
export const setDirty = (dirty) => void (isDirty = dirty);

/** A newer app is kept and waits. */
export const setUpdateReady = () => set({ update_ready: true });
