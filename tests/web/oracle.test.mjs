// I3 before a judge of its own: Automerge keeps the same values side by side as the fold does.

import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { test } from "node:test";

import { fold, headOpsAt, headsAt } from "../../web/fold.js";
import { buildOp, opId } from "../../web/ops.js";
import { chance, FRAME } from "./scene.mjs";

const Automerge = createRequire(new URL("../../web/package.json", import.meta.url))("@automerge/automerge");
const FIELDS = ["summary", "attendee"];
const HISTORIES = 100;
const STEPS = 40;

/** A phone that keeps its operations in our way and the same edits in Automerge's. */
class Phone {
  constructor(rid, doc) {
    Object.assign(this, { rid, doc, ops: new Map(), seq: 0 });
  }

  ctx() {
    const ctx = {};
    for (const { rid, seq } of this.ops.values()) ctx[rid] = Math.max(ctx[rid] ?? 0, seq);
    return ctx;
  }

  folded() {
    return fold(this.ops.values(), { has: () => true });
  }

  edit(field, val) {
    const op = buildOp({
      visit: FRAME.visit,
      rid: this.rid,
      seq: (this.seq += 1),
      prev: "",
      kind: "set",
      path: ["visit", field],
      val,
      base: headsAt(this.folded(), ["visit", field]),
      ctx: this.ctx(),
      author: "li",
      at: "2026-11-24T10:00:00+08:00",
      tpl: FRAME.tpl,
      app: "1.0.0",
    });
    this.ops.set(opId(op), op);
    this.doc = Automerge.change(this.doc, (draft) => {
      draft[field] = val;
    });
  }

  receive(other) {
    for (const [id, op] of other.ops) this.ops.set(id, op);
    this.doc = Automerge.merge(this.doc, other.doc);
  }

  ours(field) {
    return headOpsAt(this.folded(), ["visit", field])
      .map(({ val }) => val)
      .sort();
  }

  automerges(field) {
    const conflicts = Automerge.getConflicts(this.doc, field);
    return conflicts ? Object.values(conflicts).sort() : field in this.doc ? [this.doc[field]] : [];
  }
}

test(`I3 in ${HISTORIES} histories of three phones every phone holds the values that Automerge holds`, () => {
  let conflicts = 0;
  for (let seed = 1; seed <= HISTORIES; seed++) {
    const random = chance(seed);
    const one = (list) => list[Math.floor(random() * list.length)];
    const start = Automerge.init();
    const phones = ["a", "b", "c"].map((letter) => new Phone(letter.repeat(32), Automerge.clone(start)));
    for (let step = 0; step < STEPS; step++) {
      const phone = one(phones);
      if (random() < 0.6) phone.edit(one(FIELDS), `${seed}.${step}`);
      else phone.receive(one(phones.filter((other) => other !== phone)));
      for (const field of FIELDS) {
        assert.deepEqual(phone.ours(field), phone.automerges(field), `seed ${seed}, step ${step}`);
        conflicts += phone.ours(field).length > 1;
      }
    }
  }
  assert.ok(conflicts > HISTORIES, "conflicts came up");
});
