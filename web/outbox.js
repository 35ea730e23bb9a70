// The queue of operations: how one is made and kept, what is sent next, and what the server's answer does to it.

import { Trouble, localTime, newPlace, rowsOf, write } from "./db.js";
import { buildOp, canonical, bytesOf, faultOf, hashOf, opId, signOp, splitId } from "./ops.js";

/** @import { Db, Place, Row, Writing } from "./db.js" */
/** @typedef {{rid: string, key: CryptoKey, jwk: JsonWebKey, name: string, enrolled: boolean}} Device */
/** @typedef {{kind: string, path: string[], val: any, base?: string[], author: string, via?: string | null, geo?: any}} Draft */

export const APP = "1.0.0";
/** What one exchange carries at most. */
export const BATCH = { ops: 200, bytes: 256 * 1024 };
/** Kinds that aren't emitted again under a new id, but asked for anew. */
const PERSONAL = ["sign", "confirm", "propose_final"];

// --- making one -------------------------------------------------------------------------------------------------------

/** One writer of a visit at a time, over all tabs. @template T @param {Db} db @param {string} visit @param {() => Promise<T>} work @returns {Promise<T>} */
export const alone = (db, visit, work) => navigator.locks.request(`${db.name}/${visit}`, work);

/** @param {Db} db @returns {Promise<Device>} */
export async function deviceOf(db) {
  const device = await db.get("kv", "device");
  if (!device) throw new Trouble("not_enrolled");
  return device;
}

/** The last measured offset to the server's clock. @param {{off_ms: number, at: number} | undefined} clock @param {number} now */
const clockOf = (clock, now) =>
  clock ? { off_ms: clock.off_ms, age_s: Math.max(0, Math.round((now - clock.at) / 1000)) } : null;

/**
 * Makes the next op of a visit and keeps it: sequence number and row in one transaction, on the disk when this resolves.
 * Call it within `alone`.
 * @param {Db} db @param {string} visit @param {Draft} draft
 * @param {{stores: string[], work: (tx: Writing, op: Op) => Promise<void>}} [beside] more for the same transaction
 * @returns {Promise<Op>}
 */
export async function append(db, visit, draft, beside) {
  for (;;) {
    const [device, place, assignment, clock] = await Promise.all([
      deviceOf(db),
      db.get("visits", visit).then((/** @type {Place | undefined} */ known) => known ?? newPlace(visit)),
      db.get("assignments", visit),
      db.get("kv", "clock"),
    ]);
    if (!assignment) throw new Trouble("not_assigned");
    const now = new Date();
    const mine = place.tail.rid === device.rid;
    const seq = mine ? place.tail.seq + 1 : 1;
    const op = await signOp(
      buildOp({
        ...draft, visit, rid: device.rid, seq, prev: mine ? place.tail.hash : "", ctx: place.ctx,
        at: localTime(now), clk: clockOf(clock, now.getTime()), tpl: assignment.tpl, app: APP,
      }),
      device.key,
    ); // prettier-ignore
    const fault = faultOf(op);
    if (fault) throw new Trouble(fault, canonical(op.path));
    const kept = await keep(db, op, await hashOf(op), place.tail, beside);
    if (kept) return op;
  }
}

/** False where another tab was quicker: then nothing was written. @param {Db} db @param {Op} op @param {string} hash @param {Place["tail"]} tail
 * @param {{stores: string[], work: (tx: Writing, op: Op) => Promise<void>}} [beside] */
const keep = (db, op, hash, tail, beside) =>
  write(db, ["ops", "visits", "kv", ...(beside?.stores ?? [])], async (tx) => {
    const place = (await tx.objectStore("visits").get(op.visit)) ?? newPlace(op.visit);
    const device = await tx.objectStore("kv").get("device");
    if (device.rid !== op.rid || place.tail.seq !== tail.seq || place.tail.rid !== tail.rid) return false;
    await tx.objectStore("ops").add(rowFor(op));
    await tx.objectStore("visits").put(advanced(place, op, hash));
    await beside?.work(tx, op);
    return true;
  });

/** @param {Op} op @returns {Row} */
const rowFor = (op) => ({
  visit: op.visit, rid: op.rid, seq: op.seq, op, n: null, received_at: null, verdict: null, reason: null, open: 1, mine: 1,
}); // prettier-ignore

/** @param {Place} place @param {Op} op @param {string} hash @returns {Place} */
const advanced = (place, { rid, seq }, hash) => ({
  ...place,
  ctx: { ...place.ctx, [rid]: seq },
  tail: { rid, seq, hash },
});

// --- sending ----------------------------------------------------------------------------------------------------------

/** @typedef {{visit: string, rid?: string, ops: any[], dead?: {seq: number, raw: string}[]}} Push */
/** `ids` are the own ops in it, in order. @typedef {{push: Push[], ids: string[], carries: boolean}} Batch */

/** @param {Op} op */
export const rawOf = (op) => toBase64(bytesOf(JSON.stringify(op)));

/** @param {Uint8Array} data */
function toBase64(data) {
  let text = "";
  for (const byte of data) text += String.fromCharCode(byte);
  return btoa(text);
}

/**
 * The next ops to send: first what the server is asked about or lacks of others' (own ops name them in `ctx`), then the own ones.
 * @param {Db} db @param {string} rid @param {number} most ops @param {{has(id: string): boolean}} skipped
 * @returns {Promise<Batch>}
 */
export async function nextBatch(db, rid, most, skipped) {
  const tx = db.transaction(["ops", "visits"]);
  const room = { ops: most, bytes: BATCH.bytes };
  /** @type {Batch} */
  const batch = { push: [], ids: [], carries: false };
  for (const place of /** @type {Place[]} */ (await tx.objectStore("visits").getAll())) {
    for (const [other, acked] of Object.entries(place.carry ?? {})) {
      const rows = acked < 0 ? [] : await tx.objectStore("ops").getAll(rowsOf(place.id, other, acked), 100);
      const ops = [];
      for (const { op } of rows) if (op && fits(room, op)) ops.push(op);
      batch.push.push({ visit: place.id, rid: other, ops });
      batch.carries = true;
    }
  }
  let cursor = await tx.objectStore("ops").index("open").openCursor();
  for (; cursor && room.ops > 0; cursor = await cursor.continue()) {
    const row = /** @type {Row & {op: Op}} */ (cursor.value);
    const id = opId(row);
    if (row.rid !== rid || skipped.has(id)) continue;
    if (!fits(room, row.op) && batch.ids.length) break;
    batch.ids.push(id);
    addTo(batch.push, row);
  }
  return batch;
}

/** @param {{ops: number, bytes: number}} room @param {Op} op */
function fits(room, op) {
  room.ops -= 1;
  room.bytes -= JSON.stringify(op).length * 1.1;
  return room.ops >= 0 && room.bytes >= 0;
}

/** @param {Push[]} push @param {Row & {op: Op}} row */
function addTo(push, row) {
  let entry = push.findLast((known) => known.visit === row.visit && !known.rid);
  if (!entry) push.push((entry = { visit: row.visit, ops: [] }));
  if (row.as_dead) (entry.dead ??= []).push({ seq: row.seq, raw: rawOf(row.op) });
  else entry.ops.push(row.op);
}

/** Marks an op that the server refuses to take by itself: it goes as base64 from now on, and needs attention.
 * @param {Db} db @param {string} visit @param {string} id */
export const setApart = (db, visit, id) =>
  write(db, ["ops"], async (tx) => {
    const row = await tx.objectStore("ops").get([visit, ...splitId(id)]);
    if (row?.open) await tx.objectStore("ops").put({ ...row, as_dead: 1 });
  });

// --- the answer -------------------------------------------------------------------------------------------------------

/** What a verdict makes of a row. An unknown one changes nothing: the op stays in the outbox.
 * @param {Row} row @param {string} verdict @param {string | null} third @returns {Row} */
export function judged(row, verdict, third) {
  const { open: _, ...stored } = row;
  if (verdict === "dup") {
    const [standing, reason] = (third ?? "ok").split(":");
    return { ...stored, verdict: standing, reason: reason ?? null };
  }
  if (verdict === "fork") return { ...row, verdict, reason: null };
  if (!["ok", "held", "quarantined", "late", "dead"].includes(verdict)) return row;
  return { ...stored, verdict, reason: verdict === "held" ? null : (third ?? null) };
}

/**
 * Takes in the results of a push. Answers true where this phone's replica is forked and must begin anew.
 * @param {Writing} tx @param {string} rid @param {Push[]} push @param {any[]} results
 */
export async function takeResults(tx, rid, push, results) {
  const ops = tx.objectStore("ops");
  let forked = false;
  for (const [i, { visit, acked, verdicts, ...answer }] of results.entries()) {
    const of = answer.rid ?? push[i]?.rid ?? rid;
    let held = null;
    for (const [seq, verdict, third] of verdicts ?? []) {
      const row = await ops.get([visit, of, seq]);
      if (!row || of !== rid) continue;
      forked ||= verdict === "fork";
      if (verdict === "held") held ??= row;
      await ops.put(judged(row, verdict, third));
    }
    await follow(tx, visit, of, of === rid, acked, held);
  }
  return forked;
}

/** What is above `acked` and not known to be there is sent (again); what a held op waits for is asked about.
 * @param {Writing} tx @param {string} visit @param {string} rid @param {boolean} own @param {number} acked @param {Row | null} held */
async function follow(tx, visit, rid, own, acked, held) {
  const places = tx.objectStore("visits");
  const place = await places.get(visit);
  if (!place) return;
  const { [rid]: asked, ...carry } = place.carry ?? {};
  if (own) {
    for await (const cursor of tx.objectStore("ops").iterate(rowsOf(visit, rid, acked))) {
      const row = cursor.value;
      const lost = !row.open && row.verdict !== "held";
      if (lost) await cursor.update({ ...row, open: 1 });
    }
    if (held && acked === held.seq - 1) {
      for (const [other, seq] of Object.entries(held.op?.ctx ?? {})) if (other !== rid && seq) carry[other] ??= -1;
    }
  } else if (asked !== undefined && acked > asked && acked < (place.ctx[rid] ?? 0)) carry[rid] = acked;
  await places.put({ ...place, carry });
}

/**
 * Takes in what the journal holds beyond the cursor. Of the own replica it comes without its body.
 * @param {Writing} tx @param {string} rid @param {string} visit @param {any[]} entries
 */
export async function takeEntries(tx, rid, visit, entries) {
  const ops = tx.objectStore("ops");
  const place = (await tx.objectStore("visits").get(visit)) ?? newPlace(visit);
  const ctx = { ...place.ctx };
  let whole = true;
  for (const { n, received_at, verdict, reason = null, op = null, ...rest } of entries) {
    const [of, seq] = op ? [op.rid, op.seq] : rest.id ? splitId(rest.id) : [rest.rid, rest.seq];
    const known = await ops.get([visit, of, seq]);
    if (known || op || !rest.id) {
      const { open: _, ...row } = known ?? { visit, rid: of, seq, op };
      await ops.put({ ...row, op: row.op ?? op, n, received_at, verdict, reason });
    } else whole = false;
    if (of !== rid && seq === (ctx[of] ?? 0) + 1) ctx[of] = seq;
  }
  // An own op that this phone has lost comes whole when asked from the beginning.
  const cursor = whole ? entries[entries.length - 1].n : 0;
  await tx.objectStore("visits").put({ ...place, ctx, cursor });
}

/** After a restore of the server's backup: all is pulled anew, and of every replica the server is asked what it holds.
 * @param {Writing} tx */
export async function beginEpoch(tx) {
  for await (const cursor of tx.objectStore("visits").iterate()) {
    const place = /** @type {Place} */ (cursor.value);
    const carry = Object.fromEntries(Object.keys(place.ctx).map((rid) => [rid, -1]));
    await cursor.update({ ...place, cursor: 0, carry });
  }
  for await (const cursor of tx.objectStore("media").iterate()) {
    await cursor.update({ ...cursor.value, todo: 1, uploaded: false, url: null });
  }
}

// --- a replica begins anew --------------------------------------------------------------------------------------------

/**
 * Emits under a new replica what the server didn't take of the old one, with the same content and time. Signatures are asked for anew.
 * @param {Db} db @param {Device} fresh @returns {Promise<number>} how many are to be asked for anew
 */
export async function emitAgain(db, fresh) {
  const old = await db.get("kv", "device");
  const unsent = (await db.getAllFromIndex("ops", "mine"))
    .filter((/** @type {Row} */ row) => row.rid === old.rid && (row.open || row.verdict === "held"))
    .sort((a, b) => a.seq - b.seq);
  /** @type {{gone: Row[], born: Row[], places: Place[]}} */
  const all = { gone: [], born: [], places: [] };
  for (const visit of new Set(unsent.map((row) => row.visit))) {
    const of = unsent.filter((row) => row.visit === visit);
    await emitVisit(fresh, await db.get("visits", visit), of, all);
  }
  await write(db, ["ops", "visits", "kv"], async (tx) => {
    for (const row of [...all.gone, ...all.born]) await tx.objectStore("ops").put(row);
    for (const place of all.places) await tx.objectStore("visits").put(place);
    await tx.objectStore("kv").put(fresh, "device");
  });
  return all.gone.filter(({ again }) => again === "").length;
}

/** @param {Device} fresh @param {Place} place @param {(Row & {op: Op})[]} unsent in seq order
 * @param {{gone: Row[], born: Row[], places: Place[]}} all what is to be written */
async function emitVisit(fresh, place, unsent, all) {
  const first = unsent[0].seq;
  /** @type {Map<string, string>} */
  const renamed = new Map();
  const rename = (/** @type {string} */ id) => renamed.get(id) ?? id;
  let at = { ...place, ctx: { ...place.ctx, [unsent[0].rid]: first - 1 }, tail: { rid: fresh.rid, seq: 0, hash: "" } };
  if (first === 1) delete at.ctx[unsent[0].rid];
  for (const row of unsent) {
    const { open: _, ...closed } = row;
    if (PERSONAL.includes(row.op.kind)) {
      all.gone.push({ ...closed, again: "" });
      continue;
    }
    const { [row.rid]: own, ...ctx } = row.op.ctx;
    if (first > 1 && own) ctx[row.rid] = Math.min(own, first - 1);
    const { val } = row.op;
    const made = await signOp(
      buildOp({
        ...row.op, rid: fresh.rid, seq: at.tail.seq + 1, prev: at.tail.hash, ctx,
        path: row.op.path.map(rename), base: row.op.base.map(rename),
        val: row.op.kind === "attach" ? { ...val, for: val.for.replace(/(?<=^finding:).*/, rename) } : val,
      }),
      fresh.key,
    ); // prettier-ignore
    at = advanced(at, made, await hashOf(made));
    renamed.set(opId(row), opId(made));
    all.gone.push({ ...closed, again: opId(made) });
    all.born.push(rowFor(made));
  }
  all.places.push(at);
}

// --- order ------------------------------------------------------------------------------------------------------------

/** Rows in the order in which the fold reads them: the journal's, then what only this phone has. @param {Row[]} rows */
export const inOrder = (rows) =>
  rows
    .filter((row) => row.again === undefined && row.verdict !== "fork")
    .sort((a, b) => (a.n ?? Infinity) - (b.n ?? Infinity) || (a.rid < b.rid ? -1 : a.rid > b.rid ? 1 : a.seq - b.seq));
