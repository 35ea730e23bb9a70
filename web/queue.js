// The outbox as its screen shows it: an item a record or picture, with its state. Read when that screen is first opened.

import { opId } from "./ops.js";

/** @import { Db, Medium, Row } from "./db.js" */
/** @import { Item, Visit } from "./store.js" */

/** Everything not settled, oldest first; `all`: settled ones too.
 * @param {Db} db @param {boolean} all @param {(id: string) => boolean | undefined} isSending
 * @param {(visit: string) => Promise<Visit | null>} visitOf @param {(row: Medium) => Item["state"]} mediumState
 * @param {Map<string, number>} progress of uploads @returns {Promise<Item[]>} */
export async function itemsOf(db, all, isSending, visitOf, mediumState, progress) {
  const rows = /** @type {(Row & {op: Op})[]} */ (await db.getAllFromIndex("ops", "mine")).filter((row) => !row.again);
  /** @type {Map<string, Set<string>>} */
  const contested = new Map();
  for (const id of new Set(rows.map((row) => row.visit))) {
    const seen = await visitOf(id);
    const heads = seen?.view.conflicts.flatMap((/** @type {any} */ one) => one.heads) ?? [];
    contested.set(id, new Set(heads.map((/** @type {any} */ head) => head.op)));
  }
  const ops = rows.map((row) => {
    const id = opId(row);
    const state = stateOf(row, !!isSending(id), !!contested.get(row.visit)?.has(id));
    return {
      id, visit: row.visit, kind: row.op.kind, path: row.op.path, state, reason: reasonOf(row), progress: 0, at: row.op.at,
      bytes: JSON.stringify(row.op).length,
    }; // prettier-ignore
  });
  const pictures = /** @type {Medium[]} */ (await db.getAll("media")).filter(({ of }) => !of).map((row) => ({
    id: row.sha256, visit: row.visit, kind: row.role === "original" ? "photo" : "signature", path: ["media", row.sha256],
    state: mediumState(row), reason: null, progress: progress.get(row.sha256) ?? 0, at: row.at, bytes: row.size,
  })); // prettier-ignore
  return /** @type {Item[]} */ ([...ops, ...pictures])
    .filter((item) => all || item.state !== "server")
    .sort((a, b) => Date.parse(a.at) - Date.parse(b.at));
}

/** The state of an own op in the codes of the words page. @param {Row} row @param {boolean} sending @param {boolean} contested */
function stateOf(row, sending, contested) {
  if (row.verdict === "dead" || (row.open && row.as_dead) || row.again === "") return "attention";
  if (row.open) return sending && row.verdict !== "fork" ? "sending" : "saved";
  if (row.verdict === "ok") return contested ? "conflict" : "server";
  return /** @type {"held" | "quarantined" | "late"} */ (row.verdict);
}

/** @param {Row} row */
function reasonOf(row) {
  if (row.verdict === "fork" || row.again === "") return "fork";
  if (row.as_dead) return "dead";
  return row.verdict === "quarantined" ? row.reason : null;
}
