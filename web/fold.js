// The fold: a visit is a pure function of its set of operations, whatever their order. It judges nothing.

import { canonical, covers, opId, sha256Hex } from "./ops.js";

/** Others are a newer app's, or no part of the content. */
const GROUPS = ["answer", "finding", "media", "visit"];

/** @param {string} a @param {string} b */
export const byText = (a, b) => (a < b ? -1 : a > b ? 1 : 0);

/** @param {string[]} a @param {string[]} b */
export function byPath(a, b) {
  for (let i = 0; i < Math.min(a.length, b.length); i++) if (a[i] !== b[i]) return byText(a[i], b[i]);
  return a.length - b.length;
}

/** @param {string[]} path */
export const pathKey = (path) => path.join("\n");

/** The value of an op at one of its registers: an `add` carries several.
 * @param {Op} op @param {string[]} path */
export const valueAt = (op, path) => (op.kind === "add" ? op.val[path[2]] : op.val);

/**
 * @param {Iterable<Op>} ops
 * @param {Ids} effective ids of the ops that have effect
 * @returns {Folded}
 */
export function fold(ops, effective) {
  /** @type {Map<string, {path: string[], ops: Map<string, Op>}>} */
  const written = new Map();
  /** @type {Map<string, Thing>} */
  const rows = new Map();
  /** @type {Map<string, Thing>} */
  const media = new Map();

  /** @param {string[]} path @param {string} id @param {Op} op */
  const write = (path, id, op) => {
    const key = pathKey(path);
    const register = written.get(key);
    if (register) register.ops.set(id, op);
    else written.set(key, { path, ops: new Map([[id, op]]) });
  };
  /** @param {Map<string, Thing>} things @param {string} id */
  const thing = (things, id) => {
    let it = things.get(id);
    if (!it) things.set(id, (it = { makers: [], killers: [], alive: false }));
    return it;
  };

  const seen = new Set();
  for (const op of ops) {
    const id = opId(op);
    if (seen.has(id) || !effective.has(id)) continue;
    seen.add(id);
    const [group, name] = op.path;
    if (!GROUPS.includes(group)) continue;
    if (op.kind === "set") {
      write(op.path, id, op);
      if (group === "finding") thing(rows, name).makers.push(op);
    } else if (op.kind === "add") {
      thing(rows, id).makers.push(op);
      for (const field of Object.keys(op.val)) write([group, id, field], id, op);
    } else if (op.kind === "undel") thing(rows, name).makers.push(op);
    else if (op.kind === "del") thing(rows, name).killers.push(op);
    else if (op.kind === "attach") thing(media, name).makers.push(op);
    else if (op.kind === "retract") thing(media, name).killers.push(op);
  }

  settle(rows);
  settle(media);
  const registers = new Map();
  for (const [key, { path, ops: on }] of written) {
    const heads = headsOf(on);
    if (heads.length) registers.set(key, { path, heads, values: valuesOf(heads, path) });
  }
  const folded = { registers, rows, media, withdrawn: deadOf(rows, media), conflicts: [] };
  return { ...folded, conflicts: conflictsOf(folded) };
}

/** A thing is alive iff one of its makers is covered by the ctx of no killer; without any maker it never was.
 * @param {Map<string, Thing>} things */
function settle(things) {
  for (const [name, it] of things) {
    if (!it.makers.length) things.delete(name);
    else it.alive = it.makers.some((maker) => !it.killers.some((killer) => covers(killer.ctx, maker.rid, maker.seq)));
  }
}

/** The ops that no op on the same path names in `base`. What the namer's own ctx lacks it can't have been shown.
 * @param {Map<string, Op>} on */
function headsOf(on) {
  if (on.size === 1) {
    const [[id, op]] = on;
    if (!op.base.length) return [op];
    return names(op, id) ? [] : [op];
  }
  const replaced = new Set();
  for (const op of on.values()) for (const id of op.base) if (on.has(id) && names(op, id)) replaced.add(id);
  return [...on]
    .filter(([id]) => !replaced.has(id))
    .sort(([a], [b]) => byText(a, b))
    .map(([, op]) => op);
}

/** @param {Op} op @param {string} id */
function names(op, id) {
  const at = id.lastIndexOf(":");
  return op.base.includes(id) && covers(op.ctx, id.slice(0, at), Number(id.slice(at + 1)));
}

/** @param {Op[]} heads @param {string[]} path */
function valuesOf(heads, path) {
  /** @type {Map<string, {val: any, text: string, heads: Op[]}>} */
  const values = new Map();
  for (const op of heads) {
    const val = valueAt(op, path);
    const text = heads.length > 1 ? canonical(val) : "";
    const same = values.get(text);
    if (same) same.heads.push(op);
    else values.set(text, { val, text, heads: [op] });
  }
  return [...values.values()];
}

/** @param {Map<string, Thing>} rows @param {Map<string, Thing>} media */
function deadOf(rows, media) {
  return [...rows, ...media]
    .filter(([, it]) => !it.alive)
    .map(([name]) => name)
    .sort(byText);
}

/** Whether a register stands in the content: those of struck rows and retracted media don't.
 * @param {Pick<Folded, "rows" | "media">} folded @param {string[]} path */
export function isShown({ rows, media }, [group, name]) {
  if (group === "finding") return !!rows.get(name)?.alive;
  return group !== "media" || !!media.get(name)?.alive;
}

/** @param {Pick<Folded, "registers" | "rows" | "media">} folded */
function conflictsOf(folded) {
  return [...folded.registers.values()]
    .filter(({ path, values }) => values.length > 1 && isShown(folded, path))
    .map(({ path, heads }) => ({ path, heads: heads.map(opId) }))
    .sort((a, b) => byPath(a.path, b.path));
}

/** The ops at the head of a register. @param {Folded} folded @param {string[]} path */
export const headOpsAt = (folded, path) => folded.registers.get(pathKey(path))?.heads ?? [];

/** Their ids: taken when a field gains focus, they are the `base` of the op that the edit becomes.
 * @param {Folded} folded @param {string[]} path */
export const headsAt = (folded, path) => headOpsAt(folded, path).map(opId);

/** The four groups of the content. Cleared and conflicted registers are left out.
 * @param {Folded} folded @returns {Content} */
export function groupsOf(folded) {
  /** @type {Record<string, Map<string, any>>} */
  const groups = { answer: new Map(), finding: new Map(), media: new Map(), visit: new Map() };
  for (const [sha256, it] of folded.media) {
    if (it.alive) groups.media.set(sha256, new Map([["for", firstOf(it).val.for]]));
  }
  for (const { path, values } of folded.registers.values()) {
    const [{ val }] = values;
    if (values.length > 1 || val === null || !isShown(folded, path)) continue;
    const group = groups[path[0]];
    if (path.length === 2) group.set(path[1], val);
    else if (group.has(path[1])) group.get(path[1]).set(path[2], val);
    else group.set(path[1], new Map([[path[2], val]]));
  }
  return /** @type {Content} */ (toObject(groups));
}

/** Maps become own properties, so that a point may even be called `__proto__`. @param {any} value @returns {any} */
function toObject(value) {
  return Object.fromEntries(
    (value instanceof Map ? [...value] : Object.entries(value)).map(([key, inner]) => [
      key,
      inner instanceof Map ? toObject(inner) : inner,
    ]),
  );
}

/** The attach whose id is smallest speaks for the medium. @param {Thing} it */
export const firstOf = (it) => it.makers.reduce((a, b) => (opId(b) < opId(a) ? b : a));

/** The document that is signed. @param {Folded} folded @param {Frame} frame
 * @param {string[]} members @param {string | null} leader @param {number} round */
export function contentOf(folded, frame, members, leader, round) {
  const media = [...folded.media]
    .filter(([, it]) => it.alive)
    .map(([sha256, it]) => ({ mime: firstOf(it).val.mime, sha256, size: firstOf(it).val.size }))
    .sort((a, b) => byText(a.sha256, b.sha256));
  return {
    t: "visit-content/1",
    visit: frame.visit,
    round,
    tpl: frame.tpl,
    subject: { name: frame.subject.name, uscc: frame.subject.uscc },
    members: [...members].sort(byText),
    leader,
    content: groupsOf(folded),
    media,
    withdrawn: folded.withdrawn,
  };
}

/** @param {object} content what contentOf gave; only without a conflict is it anybody's to sign */
export const digestOf = (content) => sha256Hex(canonical(content));

/** The code that people compare by eye: "3F7A-91C2". @param {string | null} digest */
export const shortCode = (digest) => digest && `${digest.slice(0, 4)}-${digest.slice(4, 8)}`.toUpperCase();
