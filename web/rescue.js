// The rescue export: everything of one officer that the server hasn't confirmed, as a tar that any computer opens.

import { unsentIn } from "./session.js";

/** @import { Db, Medium, Row } from "./db.js" */

const BLOCK = 512;
const text = new TextEncoder();

/** @param {string} name @param {number} size @returns {Uint8Array<ArrayBuffer>} */
function header(name, size) {
  const block = new Uint8Array(BLOCK);
  const put = (/** @type {number} */ at, /** @type {string} */ value) => block.set(text.encode(value), at);
  const octal = (/** @type {number} */ n, /** @type {number} */ width) => n.toString(8).padStart(width - 1, "0") + "\0";
  put(0, name);
  put(100, octal(0o644, 8) + octal(0, 8) + octal(0, 8) + octal(size, 12) + octal(Math.floor(Date.now() / 1000), 12));
  put(148, "        0");
  put(257, "ustar\0" + "00");
  put(
    148,
    octal(
      block.reduce((sum, byte) => sum + byte, 0),
      7,
    ) + " ",
  );
  return block;
}

/** @param {string} name @param {Blob} blob */
const file = (name, blob) => [header(name, blob.size), blob, new Uint8Array((BLOCK - (blob.size % BLOCK)) % BLOCK)];

/** All that the server said of the log, what was checked of it, and what didn't agree: the proof that it had a record.
 * @param {Db} db @returns {Promise<Record<string, any>>} */
async function receiptsIn(db) {
  /** @type {Record<string, any>} */
  const kept = {};
  for (const [from, to] of [
    ["log", "log;"],
    ["receipt:", "receipt;"],
  ])
    for (const key of /** @type {string[]} */ (await db.getAllKeys("kv", IDBKeyRange.bound(from, to))))
      kept[key] = await db.get("kv", key);
  return kept;
}

/** @param {Db} db @param {{id: string, name: string}} officer @returns {Promise<Blob>} */
export async function rescueOf(db, officer) {
  const rows = /** @type {Row[]} */ (await db.getAllFromIndex("ops", "mine"));
  const kept = rows.filter((row) => row.open || row.again !== undefined || row.verdict !== "ok");
  const device = await db.get("kv", "device");
  const about = {
    t: "suijian-rescue/1",
    officer: officer.id,
    name: officer.name,
    rid: device?.rid,
    key: device?.jwk,
    unsent: await unsentIn(db),
  };
  const lines = kept.map((row) => JSON.stringify(row) + "\n");
  const json = (/** @type {string} */ name, /** @type {any} */ value) => file(name, new Blob([JSON.stringify(value)]));
  const parts = [...json("about.json", about), ...json("receipts.json", await receiptsIn(db))];
  parts.push(...file("ops.jsonl", new Blob(lines)));
  for (const { sha256, of, role, uploaded } of /** @type {Medium[]} */ (await db.getAllFromIndex("media", "todo"))) {
    if (of || uploaded) continue;
    const blobs = [];
    for (const key of await db.getAllKeys("chunks", IDBKeyRange.bound([sha256], [sha256, []]))) {
      blobs.push(new Blob([await db.get("chunks", key)]));
    }
    parts.push(...file(`media/${role}-${sha256}`, new Blob(blobs)));
  }
  return new Blob([...parts, new Uint8Array(2 * BLOCK)], { type: "application/x-tar" });
}
