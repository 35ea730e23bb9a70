// The exchange with the server: when it is tried, what is said, and what each outcome means for the queue.

import { bytes, call } from "./api.js";
import { newPlace, write } from "./db.js";
import { progress, sendMedia, takeMissing, unproven } from "./media.js";
import { sha256Hex } from "./ops.js";
import { APP, BATCH, beginEpoch, deviceOf, nextBatch, setApart, takeEntries, takeResults } from "./outbox.js";
import { enrol, refresh, renew } from "./session.js";

/** @import { Db, Medium, Place } from "./db.js" */
/** @import { Here } from "./session.js" */
/** @import { Outcome } from "./api.js" */
/** @import { Batch } from "./outbox.js" */
/** @typedef {{online: boolean | null, sending: boolean, paused: null | "signin" | "update", proven_at: string | null,
 *   retry_at: number | null, notices: {code: string, text: string}[], ops: Set<string>}} Status */

const STORES = ["ops", "visits", "assignments", "media", "kv"];
/** After so many refusals of the same batch it is halved, down to the culprit. */
const PATIENCE = 3;
/** Where nothing passes, it isn't the ops: so many are set apart in a round, until one push has passed. */
const MOST_APART = 2;
/** The server lives and takes nothing now: no batch is to blame. */
const BUSY = [429, 503, 507];
const FIRST_MS = 15_000;
const LONGEST_MS = 300_000;

/** One phone's conversation with the server. */
export class Sync {
  /** @type {Status} */
  status = { online: null, sending: false, paused: null, proven_at: null, retry_at: null, notices: [], ops: new Set() };
  /** What one exchange carries; smaller while a culprit is looked for among the next `suspects` ops. */
  most = BATCH.ops;
  suspects = 0;
  /** The batch that didn't pass, and how often. */
  failed = { key: "", times: 0 };
  /** Ops that are refused even by themselves: tried again at the next trigger. @type {Set<string>} */
  skipped = new Set();
  failures = 0;
  /** Ops set apart since a push passed. */
  apart = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  timer;
  /** @type {Promise<void> | null} */
  running = null;
  /** @type {Promise<void> | null} */
  uploading = null;
  rerun = false;
  /** Visits that a screen shows: their boards are fetched too. @type {Set<string>} */
  watched = new Set();
  /** The token that was refused. @type {string | null} */
  refused = null;
  stopped = false;

  /** @param {Here} here @param {(visits: string[]) => void} changed @param {() => void} told */
  constructor(here, changed, told) {
    this.here = here;
    this.changed = changed;
    this.told = told;
  }

  // --- when ---------------------------------------------------------------------------------------------------------

  /** @param {number} ms at the latest; an earlier appointment stays */
  soon(ms) {
    const at = Date.now() + ms;
    if (this.stopped || (this.status.retry_at !== null && this.status.retry_at <= at && ms > 0)) return;
    clearTimeout(this.timer);
    this.status.retry_at = at;
    this.timer = setTimeout(() => void this.run().catch(() => {}), ms);
  }

  /** The server was away: each phone comes back at a time of its own. */
  first() {
    this.soon(Math.random() * FIRST_MS);
  }

  stop() {
    this.stopped = true;
    clearTimeout(this.timer);
  }

  /** A round now; who calls while one is under way gets one more. @returns {Promise<void>} */
  run() {
    this.rerun = true;
    this.running ??= this.#rounds().finally(() => (this.running = null));
    return this.running;
  }

  /** Records and media, until nothing more can be done now. */
  async drain() {
    await this.run();
    while (this.uploading) {
      await this.uploading;
      await this.running;
    }
  }

  async #rounds() {
    while (this.rerun && !this.stopped) {
      this.rerun = false;
      clearTimeout(this.timer);
      this.status.retry_at = null;
      this.skipped.clear();
      await navigator.locks.request(`${this.here.db.name}/sync`, () => this.#round());
    }
    if (this.status.online && !this.status.paused)
      this.uploading ??= this.#upload().finally(() => (this.uploading = null));
  }

  async #round() {
    await refresh(this.here);
    const { token } = this.here.officer;
    if (this.status.paused === "signin" && token !== this.refused) this.status.paused = null;
    if (this.status.paused || !token || !(await this.here.db.get("kv", "device"))) return;
    this.apart = 0;
    try {
      while (await this.#exchange());
    } finally {
      this.status.ops = new Set();
      this.status.sending = false;
      this.told();
    }
  }

  // --- one exchange -------------------------------------------------------------------------------------------------

  /** @param {boolean} [probe] without a push: does the server live? @returns {Promise<boolean>} whether there is more to say at once */
  async #exchange(probe = false) {
    const { db, officer } = this.here;
    const device = await deviceOf(db);
    if (!device.enrolled) return this.#enrolled(await enrol(this.here));
    /** @type {Batch} */
    const batch = probe
      ? { push: [], ids: [], carries: false }
      : await nextBatch(db, device.rid, this.most, this.skipped);
    const asked = await unproven(db);
    this.status.ops = new Set(batch.ids);
    this.status.sending = batch.ids.length > 0;
    this.told();
    const sent = Date.now();
    const json = await requestOf(db, device.rid, batch, asked);
    const outcome = await call("POST", "/api/sync", { token: officer.token, json });
    const isOurs = outcome.kind === "ok" && outcome.data.proto >= 1 && typeof outcome.data.epoch === "string";
    if (outcome.kind === "ok" && isOurs) {
      const next = await this.#take(batch, asked, device.rid, outcome.data, (sent + Date.now()) / 2);
      return probe || next;
    }
    if (outcome.kind === "ok")
      return this.#away(batch, { kind: "away", status: 200, code: "no_answer", retry_after: 0 });
    this.status.online = outcome.status > 0 && outcome.code !== "no_answer";
    if (outcome.kind === "away") return this.#away(batch, outcome);
    if (outcome.status === 401) return this.#pause("signin");
    if (outcome.status === 426) return this.#pause("update");
    if (outcome.status === 403 && outcome.code === "unenrolled") return this.#enrolled(await enrol(this.here));
    return this.#refused(batch, outcome);
  }

  /** @param {"signin" | "update"} why */
  #pause(why) {
    this.status.paused = why;
    this.refused = this.here.officer.token;
    return false;
  }

  /** @param {Outcome} outcome of an enrolment */
  #enrolled(outcome) {
    if (outcome.kind === "ok") return (this.failures += 1) < 5;
    if (outcome.kind === "refused" && outcome.status === 401) return this.#pause("signin");
    this.#later(outcome.retry_after);
    return false;
  }

  /** Full jitter below a cap that doubles; what the server asks for wins. @param {number} retry_after */
  #later(retry_after) {
    this.failures += 1;
    const cap = Math.min(LONGEST_MS, 1000 * 2 ** this.failures);
    this.soon(Math.max(retry_after, Math.random() * cap, 200));
  }

  /** The same batch again, later. Where the server answers another request meanwhile, it is this batch that doesn't pass.
   * @param {Batch} batch @param {Outcome & {kind: "away"}} outcome */
  async #away(batch, outcome) {
    const mayBeIt = batch.ids.length > 0 && !BUSY.includes(outcome.status) && this.apart < MOST_APART;
    if (!mayBeIt || (this.#count(batch) < 2 && !this.suspects)) {
      this.status.online = outcome.status > 0 && outcome.code !== "no_answer";
      this.#later(outcome.retry_after);
      return false;
    }
    if (!(await this.#exchange(true))) return false;
    return batch.ids.length > 1 || this.#count(batch) > PATIENCE ? this.#halve(batch) : true;
  }

  /** @param {Batch} batch @param {Outcome & {kind: "refused"}} outcome */
  async #refused(batch, outcome) {
    const times = this.#count(batch);
    const isSudden = outcome.status !== 413 && times < PATIENCE && !this.suspects;
    if (!batch.ids.length || isSudden || this.apart >= MOST_APART) {
      this.#later(outcome.retry_after);
      return false;
    }
    return this.#halve(batch);
  }

  /** How often this very batch has failed. @param {Batch} batch */
  #count({ ids }) {
    const key = `${ids.length} ${ids[0]}`;
    this.failed = { key, times: this.failed.key === key ? this.failed.times + 1 : 1 };
    return this.failed.times;
  }

  /** Half of it at once; the last one left is the culprit. @param {Batch} batch */
  async #halve({ push, ids }) {
    this.suspects = ids.length;
    this.most = Math.ceil(ids.length / 2);
    if (ids.length > 1) return true;
    const [id] = ids;
    const { visit, dead } = /** @type {import("./outbox.js").Push} */ (push.findLast(({ rid }) => !rid));
    if (dead) this.skipped.add(id);
    else await setApart(this.here.db, visit, id);
    this.apart += 1;
    this.#unsuspect(1);
    this.changed([visit]);
    return true;
  }

  /** @param {number} n ops that passed, or were set apart */
  #unsuspect(n) {
    this.suspects = Math.max(0, this.suspects - n);
    if (!this.suspects) this.most = BATCH.ops;
  }

  // --- the answer ---------------------------------------------------------------------------------------------------

  /** @param {Batch} batch @param {Medium[]} asked @param {string} rid @param {any} data @param {number} at when it was answered, by this phone's clock
   * @returns {Promise<boolean>} whether to ask again at once */
  async #take(batch, asked, rid, data, at) {
    const { db } = this.here;
    const { forked, touched, fresh } = await take(db, batch, asked, rid, data, at);
    Object.assign(this.status, { online: true, proven_at: data.server_time, notices: data.notices ?? [] });
    this.failures = 0;
    this.#unsuspect(batch.ids.length);
    if (batch.ids.length) this.apart = 0;
    await this.#fetchTemplates();
    await this.#fetchBoards();
    if (touched.length) this.changed(touched);
    if (forked) return this.#enrolled(await renew(this.here));
    if (data.retry_after) this.soon(data.retry_after * 1000);
    if (data.more || fresh) return true;
    const next = await nextBatch(db, rid, this.most, this.skipped);
    return next.push.length > 0 && keyOf(next) !== keyOf(batch);
  }

  async #fetchTemplates() {
    const { db, officer } = this.here;
    const known = new Set(await db.getAllKeys("templates"));
    for (const { id, tpl } of await db.getAll("assignments")) {
      if (known.has(tpl)) continue;
      const data = await bytes(`/api/templates/${tpl}`, officer.token);
      if (!data || (await sha256Hex(data)) !== tpl) continue;
      const doc = JSON.parse(new TextDecoder().decode(data));
      await write(db, ["templates"], (tx) => tx.objectStore("templates").put({ doc, bytes: data.byteLength }, tpl));
      known.add(tpl);
      this.changed([id]);
    }
  }

  async #fetchBoards() {
    for (const visit of this.watched) {
      const answer = await call("GET", `/api/visits/${visit}/board`, { token: this.here.officer.token });
      if (answer.kind !== "ok") continue;
      await write(this.here.db, ["kv"], (tx) => tx.objectStore("kv").put(answer.data.board, `board:${visit}`));
      this.changed([visit]);
    }
  }

  // --- media --------------------------------------------------------------------------------------------------------

  /** Sends what waits; then the server is asked whether all of it is there. */
  async #upload() {
    let sent = false;
    const each = (/** @type {boolean} */ change = false) => {
      sent ||= change;
      if (change) this.changed([]);
      else this.told();
    };
    const outcome = await navigator.locks.request(`${this.here.db.name}/media`, { ifAvailable: true }, (lock) =>
      lock ? sendMedia(this.here.db, () => this.here.officer.token, each) : null,
    );
    progress.clear();
    if (outcome?.kind === "refused" && outcome.status === 401) this.#pause("signin");
    else if (outcome?.kind === "away") this.#later(outcome.retry_after);
    this.told();
    if (sent && !outcome) void this.run().catch(() => {});
  }
}

/** @param {Batch} batch */
const keyOf = ({ push }) =>
  JSON.stringify(push.map(({ visit, rid, ops, dead }) => [visit, rid, ops.length, ops[0]?.seq, dead?.length]));

/** @param {Db} db @param {string} rid @param {Batch} batch @param {Medium[]} asked */
async function requestOf(db, rid, { push }, asked) {
  const [epoch, rev, places, open, media] = await Promise.all([
    db.get("kv", "epoch"),
    db.get("kv", "rev"),
    db.getAll("visits"),
    db.getAllFromIndex("ops", "open"),
    db.getAllFromIndex("media", "todo"),
  ]);
  const times = open.map((/** @type {any} */ { op }) => op.at).sort((a, b) => Date.parse(a) - Date.parse(b));
  const waiting = media.filter((/** @type {Medium} */ { uploaded, of }) => !uploaded && !of);
  return {
    proto: 1,
    epoch: epoch ?? null,
    rid,
    client: { app: APP, schema: 1 },
    push,
    pull: Object.fromEntries(places.map(({ id, cursor }) => [id, cursor])),
    assignments_rev: rev ?? 0,
    pending: {
      ops: open.length,
      media: waiting.length,
      bytes: waiting.reduce((sum, { size }) => sum + size, 0),
      oldest: times[0] ?? null,
    },
    have_media: [...new Set(asked.map(({ sha256 }) => sha256))],
  };
}

/** All that an answer says becomes durable together. @param {Db} db @param {Batch} batch @param {Medium[]} asked @param {string} rid @param {any} data @param {number} at */
const take = (db, batch, asked, rid, data, at) =>
  write(db, STORES, async (tx) => {
    const kv = tx.objectStore("kv");
    const before = await kv.get("epoch");
    if (before && before !== data.epoch) await beginEpoch(tx);
    await kv.put(data.epoch, "epoch");
    await kv.put({ off_ms: Math.round(Date.parse(data.server_time) - at), at: Math.round(at) }, "clock");
    await kv.put(data.server_time, "proven");
    if (data.receipt) await kv.put({ ...data.receipt, at: data.server_time }, `receipt:${data.receipt.index}`);
    const forked = await takeResults(tx, rid, batch.push, data.results ?? []);
    for (const [visit, entries] of Object.entries(data.ops ?? {})) {
      if (entries.length) await takeEntries(tx, rid, visit, entries);
    }
    const fresh = data.assignments ? await takeAssignments(tx, data.assignments) : [];
    await takeMissing(tx, asked, data.media_missing ?? []);
    const pushed = batch.push.map(({ visit }) => visit);
    const touched = [...new Set([...pushed, ...Object.keys(data.ops ?? {}), ...fresh])];
    if (asked.length && !touched.length) touched.push(asked[0].visit);
    return { forked, touched, fresh: fresh.length > 0 || (!!before && before !== data.epoch) };
  });

/** The full list: what isn't in it is no longer ours, and stays on the phone. @param {import("./db.js").Writing} tx @param {any} given */
async function takeAssignments(tx, { rev, visits }) {
  const [assignments, places] = [tx.objectStore("assignments"), tx.objectStore("visits")];
  const listed = new Set(visits.map((/** @type {any} */ { id }) => id));
  for (const known of await assignments.getAll()) {
    if (!listed.has(known.id) && !known.withdrawn) await assignments.put({ ...known, withdrawn: true });
  }
  for (const visit of visits) {
    await assignments.put({ ...visit, withdrawn: false });
    if (!(await places.get(visit.id))) await places.put(newPlace(visit.id));
  }
  await tx.objectStore("kv").put(rev, "rev");
  return /** @type {string[]} */ ([...listed]);
}
