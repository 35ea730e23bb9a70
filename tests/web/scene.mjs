// What the tests of the phone's core share: a small crew, a checklist, and a journal that grows op by op.

import { buildOp, opId } from "../../web/ops.js";

export const LI = "a".repeat(32);
export const WANG = "b".repeat(32);
export const OWNER = { [LI]: "li", [WANG]: "wang", srv: "clerk" };
export const FRAME = {
  visit: "0193a1b2-0000-7000-8000-00000000beef",
  tpl: "63bce8d4edf0cd46fffe9c93a06ed34806202956d17a36a94df37388d9149b51",
  subject: { name: "南阳示例化工有限公司", uscc: "91411303MAAY4CL12N" },
};
export const IMAGE = "1".repeat(64);
export const PHOTO = "2".repeat(64);
export const ITEM = { id: "fire", judged: "findings", points: [{ id: "p1" }, { id: "p2" }] };

/** A seeded stream of numbers below 1 (mulberry32). */
export function chance(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** @template T @param {T[]} list @returns {T[]} */
export function shuffled(list, random) {
  const copy = [...list];
  for (let i = copy.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [copy[i], copy[j]] = [copy[j], copy[i]];
  }
  return copy;
}

/** A visit with li as leader and wang as member; each op has seen, and replaces, all that came before it unless it is given
 * a `ctx`: then it replaces nothing. */
export class Journal {
  constructor({ items = [ITEM], here = [IMAGE, PHOTO] } = {}) {
    this.entries = [];
    this.facts = { items, here: new Set(here) };
    this.assign("li", "leader");
    this.assign("wang", "member");
  }

  ctx() {
    const ctx = {};
    for (const { op } of this.entries) ctx[op.rid] = op.seq;
    return ctx;
  }

  /** Adds an op; returns its id. `more` overrides fields of the op, `verdict`, `reason` and `n` those of the entry. */
  put(rid, kind, path, val, { verdict = "ok", reason = null, n, ...more } = {}) {
    const ctx = more.ctx ?? this.ctx();
    const same = this.entries.filter(({ op }) => !more.ctx && op.kind === "set" && op.path.join() === path.join());
    const seq = (this.ctx()[rid] ?? 0) + 1;
    const built = buildOp({
      visit: FRAME.visit,
      rid,
      seq,
      kind,
      path,
      val,
      base: same.map(({ op }) => opId(op)),
      author: OWNER[rid],
      at: "2026-11-24T10:00:00+08:00",
      tpl: FRAME.tpl,
      app: "1.0.0",
      prev: seq > 1 ? "0".repeat(64) : "",
      ...more,
      ctx,
    });
    this.entries.push({
      n: n === undefined ? this.entries.length + 1 : n,
      op: built,
      received_at: "2026-11-24T02:00:01.000Z",
      verdict,
      reason,
    });
    return opId(built);
  }

  assign(officer, role) {
    return this.put("srv", "assign", ["crew", officer], { role, reason: null });
  }

  set(rid, path, val, more) {
    return this.put(rid, "set", path, val, more);
  }

  /** Makes an op that this phone hasn't sent yet. */
  draft(rid, kind, path, val, more = {}) {
    return this.put(rid, kind, path, val, { ...more, verdict: null, n: null });
  }
}
