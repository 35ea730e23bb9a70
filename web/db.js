// The phone's databases: one for the phone (who signed in here), one for each officer. What `write` resolves is on the disk.

import { openDB } from "idb";

/** @typedef {import("idb").IDBPDatabase<any>} Db */
/** @typedef {import("idb").IDBPTransaction<any, any, "readwrite">} Writing */

/**
 * An op's row. It is the outbox too: `open` stands in it exactly while no verdict of the server does.
 * @typedef {object} Row
 * @property {string} visit
 * @property {string} rid
 * @property {number} seq
 * @property {Op | null} op       null: a tombstone of what nobody can read
 * @property {number | null} n
 * @property {string | null} received_at
 * @property {string | null} verdict
 * @property {string | null} reason
 * @property {1} [open]       to be sent
 * @property {1} [mine]       made on this phone
 * @property {1} [as_dead]    refused by itself: sent as base64, needs attention
 * @property {string} [again] the id under which it was emitted again ("": to be asked for anew)
 */

/**
 * What a visit's next op hangs on, and how far the exchange came. `ctx` is a prefix of each replica, the own one included.
 * @typedef {object} Place
 * @property {string} id
 * @property {number} cursor
 * @property {Record<string, number>} ctx
 * @property {{rid: string, seq: number, hash: string}} tail   the last own op
 * @property {Record<string, number>} carry   replicas of which the server is asked (-1) or lacks what is above
 */

/**
 * A medium's row. `todo` stands in it until the server has shown that it holds the bytes.
 * @typedef {object} Medium
 * @property {string} visit
 * @property {string} sha256
 * @property {number} size
 * @property {string} mime
 * @property {"original" | "small" | "thumb" | "image" | "strokes"} role
 * @property {string} of        of a rendition: the original, else ""
 * @property {string} at
 * @property {any} [attach]     what its attach op says, until that op is made
 * @property {string} [op]      the op that names it
 * @property {1} [todo]
 * @property {boolean} [uploaded]
 * @property {string | null} [url]   of a begun upload
 * @property {boolean} [drawn]  renditions were made, or can't be
 * @property {number} [failed]
 */

/** An error with a code that screens have words for. */
export class Trouble extends Error {
  /** @param {string} code @param {string} [detail] */
  constructor(code, detail = code) {
    super(detail);
    this.code = code;
  }
}

/** @type {(code: "db_closed" | "db_blocked" | "db_failed" | "db_full" | null, detail?: string) => void} */
let tell = () => {};
/** @param {typeof tell} listener hears of a database that fails (null: it works again) */
export const onFault = (listener) => void (tell = listener);

/** @param {string} name @param {number} version @param {(db: Db) => void} upgrade @returns {Promise<Db>} */
async function open(name, version, upgrade) {
  try {
    const db = await openDB(name, version, {
      upgrade,
      blocked: () => tell("db_blocked", name),
      blocking: () => db.close(),
      terminated: () => tell("db_closed", name),
    });
    return db;
  } catch (error) {
    tell("db_failed", String(error));
    throw new Trouble("db_failed", String(error));
  }
}

export const openPhone = () =>
  open("suijian", 1, (db) => {
    db.createObjectStore("officers", { keyPath: "id" });
    db.createObjectStore("kv");
  });

/** @param {string} officer */
export const openOfficer = (officer) =>
  open(`suijian-${officer}`, 1, (db) => {
    db.createObjectStore("kv");
    db.createObjectStore("visits", { keyPath: "id" });
    db.createObjectStore("assignments", { keyPath: "id" });
    db.createObjectStore("templates");
    const ops = db.createObjectStore("ops", { keyPath: ["visit", "rid", "seq"] });
    ops.createIndex("open", "open");
    ops.createIndex("mine", "mine");
    const media = db.createObjectStore("media", { keyPath: ["visit", "sha256"] });
    media.createIndex("todo", "todo");
    db.createObjectStore("chunks");
  });

/**
 * Everything that `work` does happens, and is on the disk, or nothing does. It may await nothing but the database.
 * @template T
 * @param {Db} db @param {string[]} stores @param {(tx: Writing) => Promise<T>} work @returns {Promise<T>}
 */
export async function write(db, stores, work) {
  let tx;
  try {
    tx = db.transaction(stores, "readwrite", { durability: "strict" });
    const result = await work(tx);
    await tx.done;
    tell(null);
    return result;
  } catch (error) {
    tx?.done.catch(() => {});
    try {
      tx?.abort();
    } catch {
      // It has ended already.
    }
    if (error instanceof Trouble) throw error;
    const name = /** @type {any} */ (error)?.name;
    const code = name === "QuotaExceededError" ? "db_full" : name === "InvalidStateError" ? "db_closed" : "db_failed";
    tell(code, String(error));
    throw new Trouble(code, String(error));
  }
}

/** All rows of a visit, or of one replica in it. @param {string} visit @param {string} [rid] @param {number} [after] */
export const rowsOf = (visit, rid, after = 0) =>
  rid === undefined
    ? IDBKeyRange.bound([visit], [visit, []])
    : IDBKeyRange.bound([visit, rid, after], [visit, rid, Infinity], true);

/** @param {string} id @returns {Place} */
export const newPlace = (id) => ({ id, cursor: 0, ctx: {}, tail: { rid: "", seq: 0, hash: "" }, carry: {} });

/** Local time with its offset, as an op's `at` wants it. @param {Date} date */
export function localTime(date) {
  const minutes = -date.getTimezoneOffset();
  const pad = (/** @type {number} */ n) => String(Math.floor(Math.abs(n))).padStart(2, "0");
  const local = new Date(date.getTime() + minutes * 60_000).toISOString().slice(0, -1);
  return `${local}${minutes < 0 ? "-" : "+"}${pad(minutes / 60)}:${pad(minutes % 60)}`;
}
