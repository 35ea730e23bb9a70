// The receipts of one officer's records: what the log says of them, checked here and kept here, good or not.

import { call } from "./api.js";
import { Trouble, rowsOf, write } from "./db.js";
import { shortCode } from "./fold.js";
import { commitment, isConsistent, isIncluded, isSignedBy, leafHash, readCheckpoint, vouches } from "./log.js";
import { hashOf, opId } from "./ops.js";

/** @import { Db, Row } from "./db.js" */
/** @import { Checkpoint } from "./log.js" */
/** @import { Here } from "./session.js" */

/**
 * What doesn't agree: `absent` the log has no entry of it, `other` the entry is of something else, `proof` it isn't under the
 * root; of the log itself: `note` `signature` `key` `anew` `shrunk` `rewritten`. It stays for ever, with what the server gave.
 * @typedef {{why: string, id: string, at: string, given: any}} Alarm
 *
 * What was found of a visit. `signed`: true, or null where the browser has no Ed25519.
 * @typedef {{checked: string, size: number, code: string, at: string | null, signed: boolean | null,
 *   logged: number, waiting: number, proofs: Record<string, any>, alarms: Alarm[]}} Found
 *
 * The newest state of the log that this phone saw and checked.
 * @typedef {{key: string, origin: string, size: number, root: string, note: string, at: string | null, signed: boolean | null}} Anchor
 *
 * A state of the log that the server told of, and where that is kept. @typedef {{size: number, root: string, places: string[]}} Claim
 *
 * @typedef {{db: Db, told: Claim[], ask: (path: string) => Promise<any>, alarm: (why: string, id: string, given: any) => void}} Work
 */

/** How many of this phone's records in a visit the server says to have, and what was found of them: last time, or, `anew`, now.
 * @param {Here} here @param {string} visit @param {boolean} anew @returns {Promise<{n: number, found: Found | undefined}>} */
export async function receiptsOf(here, visit, anew) {
  const { db } = here;
  if (anew) await navigator.locks.request(`${db.name}/log`, () => check(here, visit));
  return { n: (await taken(db, visit)).length, found: await db.get("kv", `log:${visit}`) };
}

/** What nobody can read, or was emitted again, has no leaf of its own.
 * @param {Db} db @param {string} visit @returns {Promise<(Row & {op: Op})[]>} */
const taken = async (db, visit) =>
  (await db.getAll("ops", rowsOf(visit))).filter(
    (/** @type {Row} */ { mine, open, op, again, verdict }) =>
      mine && !open && op && again === undefined && verdict && !["fork", "dead"].includes(verdict),
  );

/** Asks the server for all receipts of a visit and checks each of them; what was found is kept.
 * @param {Here} here @param {string} visit */
async function check({ db, officer }, visit) {
  const [rows, before, told] = [await taken(db, visit), await db.get("kv", `log:${visit}`), await claims(db)];
  const checked = new Date().toISOString();
  const alarms = /** @type {Alarm[]} */ ([...(before?.alarms ?? [])]);
  /** @type {Work} */
  const work = {
    db,
    told,
    ask: (path) => asked(path, officer.token),
    alarm: (why, id, given) => {
      if (!alarms.some((known) => known.why === why && known.id === id)) alarms.push({ why, id, at: checked, given });
    },
  };
  const proofs = { ...before?.proofs };
  let [logged, waiting] = [0, 0];
  for (const rid of new Set(rows.map((row) => row.rid))) {
    const given = await fetchAll(work, visit, rid);
    for (const row of rows.filter((one) => one.rid === rid)) {
      const good = await judge(work, row, given.filter(({ seq }) => seq === row.seq)); // prettier-ignore
      if (good) proofs[opId(row)] = good;
      if (good?.path) logged += 1;
      else if (good) waiting += 1;
    }
  }
  const { size = 0, root = "", at = null, signed = null } = (await db.get("kv", "log")) ?? {};
  const found = { checked, size, code: shortCode(root), at, signed, logged, waiting, proofs, alarms };
  await write(db, ["kv"], (tx) => tx.objectStore("kv").put(found, `log:${visit}`));
}

/** @param {string} path @param {string | null} token @returns {Promise<any>} */
async function asked(path, token) {
  const answer = await call("GET", path, { token });
  if (answer.kind !== "ok") throw new Trouble(answer.kind === "away" ? "no_answer" : answer.code);
  return answer.data;
}

/** All that the server has of a replica, each with the state of the log that its path leads to; null: none, or none that holds.
 * @param {Work} work @param {string} visit @param {string} rid @returns {Promise<any[]>} */
async function fetchAll(work, visit, rid) {
  const all = [];
  for (let after = 0; ;) {
    const page = await work.ask(`/api/visits/${visit}/receipts?rid=${rid}&after=${after}`);
    const tree = page.checkpoint === null ? null : await stand(work, page);
    all.push(...page.receipts.map((/** @type {any} */ one) => ({ ...one, tree, note: page.checkpoint })));
    if (!page.more || !page.receipts.length) return all;
    after = page.receipts.at(-1).seq;
  }
}

/** The receipt that holds for a record, its path null while nothing is signed over it; null where none holds, which is told.
 * @param {Work} work @param {Row & {op: Op}} row @param {any[]} its */
async function judge({ alarm }, row, its) {
  const [id, hash] = [opId(row), await hashOf(row.op)];
  let why = "absent";
  for (const { tree, ...one } of its) {
    const leaf = leafOf(one);
    why = "other";
    if (leaf?.object !== `op:${row.visit}:${id}` || leaf.after !== (await commitment(one.key, hash))) continue;
    if (one.path === null || !tree) return { ...one, path: null };
    if (await isIncluded(await leafHash(one.leaf), one.index, tree.size, one.path, tree.root)) return one;
    why = "proof";
    break;
  }
  const given = its.map(({ tree: _, ...one }) => one);
  alarm(why, id, given);
  return null;
}

/** @param {{leaf: string, key: string, index: number}} one */
function leafOf({ leaf, key, index }) {
  try {
    const { object, after, n } = JSON.parse(leaf);
    return n === index + 1 && /^[0-9a-f]{64}$/.test(key) ? { object, after } : null;
  } catch {
    return null;
  }
}

// --- the log itself ---------------------------------------------------------------------------------------------------

/** Takes a checkpoint for true: signed by the key that this phone knows, or one that it vouches for, and grown out of what
 * this phone was told before. Null, and told, where it isn't. The first key that a phone sees is the one that it knows.
 * @param {Work} work @param {{checkpoint: string, at: string}} page @returns {Promise<Checkpoint | null>} */
async function stand(work, { checkpoint: note, at }) {
  const { db, told, ask, alarm } = work;
  const known = /** @type {Anchor | undefined} */ (await db.get("kv", "log"));
  const tree = readCheckpoint(note);
  if (!tree) return (alarm("note", note, null), null);
  if (known?.note === note && told.every(({ places }) => !places.length)) return tree;
  const keys = (await ask("/log/keys")).keys.filter((/** @type {any} */ { origin }) => origin === tree.origin);
  const key = keys.at(-1)?.key ?? "";
  const isAnew = !!known && known.origin !== tree.origin;
  if (isAnew) alarm("anew", tree.origin, { before: known.note, note });
  const trusted = !known || isAnew || known.key === key || (await vouches(keys, known.key, key));
  if (trusted === false) return (alarm("key", key, { note, keys }), null);
  const signed = await isSignedBy(key, tree);
  if (signed === false) return (alarm("signature", note, key), null);
  for (const one of isAnew ? [] : told) if (!(await grewFrom(work, one, tree, note))) return null;
  const anchor = { key, origin: tree.origin, size: tree.size, root: tree.root, note, at, signed: signed && trusted };
  await write(db, ["kv"], async (tx) => {
    const kv = tx.objectStore("kv");
    await kv.put(anchor, "log");
    for (const place of told.flatMap(({ places }) => places))
      await kv.put({ ...(await kv.get(place)), ok: tree.size }, place);
  });
  return tree;
}

/** What this phone was told and has to find again: the state that it checked last, and those that came with answers to what it
 * sent and weren't compared yet. Read before the server is asked, so that nothing newer is among them.
 * @param {Db} db @returns {Promise<Claim[]>} */
async function claims(db) {
  const known = /** @type {Anchor | undefined} */ (await db.get("kv", "log"));
  const all = /** @type {Claim[]} */ (known ? [{ size: known.size, root: known.root, places: [] }] : []);
  for (const place of /** @type {string[]} */ (await db.getAllKeys("kv", IDBKeyRange.bound("receipt:", "receipt;")))) {
    const { size, root, ok } = await db.get("kv", place);
    if (ok !== undefined || !size) continue;
    const same = all.find((one) => one.size === size && one.root === root);
    if (same) same.places.push(place);
    else all.push({ size, root, places: [place] });
  }
  return all;
}

/** @param {Work} work @param {Claim} claim @param {Checkpoint} tree @param {string} note */
async function grewFrom({ ask, alarm }, { size, root }, tree, note) {
  if (size > tree.size) return (alarm("shrunk", `${size} ${root}`, note), false);
  if (size === tree.size && root === tree.root) return true;
  const proof = size === tree.size ? null : await ask(`/log/consistency?first=${size}&second=${tree.size}`);
  if (proof && (await isConsistent(size, root, tree.size, tree.root, proof.path))) return true;
  return (alarm("rewritten", `${size} ${root}`, { note, proof }), false);
}
