// What a change of the crew means for a phone: its own recusal locks a visit, a certificate ends with the phone's day.

import assert from "node:assert/strict";
import { test } from "node:test";
import {
  closedBy,
  endedBefore,
  hasRecused,
  isUndeclared,
  keepsClosed,
  localDay,
} from "../../web/crew.js";

const WRITING = [
  "checklist",
  "findings",
  "finding",
  "evidence",
  "sign",
  "result",
  "conflicts",
];
const READING = ["visit", "record", "group", "recused"];

const DECLARED = {
  "no_interest:li": { interest: true, reason: "亲属" },
  "no_interest:wang": { interest: false, reason: "" },
};

const visitOf = ({
  visit = DECLARED,
  phase = "started",
  members = ["li", "wang", "zhang"],
  leader = "wang",
  recusals,
  withdrawn = false,
} = {}) => ({
  withdrawn,
  assignment: { crew: [], ...(recusals && { recusals }) },
  view: { content: { visit }, phase, members, leader },
});

const asked = (state) => [{ officer: "wang", state }];

function closes(v, me, lock) {
  for (const screen of WRITING)
    assert.equal(closedBy(v, me, screen), lock, screen);
  for (const screen of READING) assert.equal(closedBy(v, me, screen), null);
}

test("R20.3 only the officer who declared an interest is locked out, and can still read", () => {
  const v = visitOf();
  assert.equal(hasRecused(v, "li"), true);
  assert.equal(hasRecused(v, "wang"), false);
  assert.equal(hasRecused(v, "zhang"), false);
  closes(v, "li", "recused");
  closes(v, "wang", null);
});

test("R20.4 work goes on while a subject's request waits or was dismissed, and stops for him once it is upheld", () => {
  for (const state of ["asked", "dismissed"])
    closes(visitOf({ visit: {}, recusals: asked(state) }), "wang", null);
  for (const state of ["upheld", "declared"]) {
    closes(visitOf({ visit: {}, recusals: asked(state) }), "wang", "recused");
    closes(visitOf({ visit: {}, recusals: asked(state) }), "li", null);
  }
});

test("R18.2 a crew of fewer than two, or without a leader, closes what writes in each phase, and stays readable", () => {
  for (const phase of [
    "dispatched",
    "started",
    "interrupted",
    "final_pending",
  ]) {
    const two = { phase, members: ["li", "wang"] };
    closes(visitOf(two), "wang", "interrupted");
    closes(visitOf(two), "li", "recused");
    closes(visitOf({ ...two, visit: {} }), "wang", null);
    closes(visitOf({ ...two, visit: {}, leader: null }), "wang", "interrupted");
    closes(
      visitOf({ ...two, visit: {}, members: ["wang"] }),
      "wang",
      "interrupted",
    );
  }
  for (const phase of ["final", "void"])
    closes(visitOf({ phase, members: ["wang"] }), "wang", null);
});

test("R20.1 a visit that he was taken out of is closed to him, whatever its phase", () => {
  for (const phase of ["dispatched", "started", "final"])
    closes(visitOf({ phase, visit: {}, withdrawn: true }), "wang", "withdrawn");
});

test("R20.3 before his own word on an interest nobody begins; a word of either kind is a word", () => {
  for (const screen of WRITING) {
    assert.equal(isUndeclared(visitOf(), "zhang", screen), true, screen);
    assert.equal(isUndeclared(visitOf(), "wang", screen), false, screen);
    assert.equal(isUndeclared(visitOf(), "li", screen), false, screen);
    const final = visitOf({ phase: "final" });
    assert.equal(isUndeclared(final, "zhang", screen), false, screen);
  }
  for (const screen of READING)
    assert.equal(isUndeclared(visitOf(), "zhang", screen), false, screen);
});

test("a certificate holds through its last day, ran out on the next, and is warned of 30 days before", () => {
  const crew = [
    { officer: "li", certificate_to: "2026-09-07" },
    { officer: "wang", certificate_to: null },
  ];
  const ended = (now, days) =>
    endedBefore(crew, localDay(now, days)).map(({ officer }) => officer);
  assert.deepEqual(ended(new Date(2026, 8, 7, 23, 59)), []);
  assert.deepEqual(ended(new Date(2026, 8, 8, 0, 1)), ["li"]);
  assert.deepEqual(ended(new Date(2026, 7, 8), 31), ["li"]);
  assert.deepEqual(ended(new Date(2026, 7, 7), 31), []);
});

test("R19.1 a member's ended certificate keeps closed what writes until the certificates were shown", () => {
  const crew = [
    { officer: "li", name: "李", certificate_to: "2029-12-31" },
    { officer: "wang", name: "王", certificate_to: "2026-09-07" },
  ];
  const now = new Date(2026, 8, 8);
  const visit = (shown, members = ["li", "wang"], phase = "started") => ({
    assignment: { crew },
    view: {
      phase,
      members,
      content: { visit: { certificates_shown: shown } },
    },
  });
  for (const screen of WRITING) {
    assert.deepEqual(keepsClosed(visit(undefined), screen, now), [crew[1]]);
    assert.deepEqual(keepsClosed(visit(false), screen, now), [crew[1]]);
    assert.deepEqual(keepsClosed(visit(true), screen, now), []);
    assert.deepEqual(keepsClosed(visit(false, ["li"]), screen, now), []);
    const before = new Date(2026, 8, 7);
    assert.deepEqual(keepsClosed(visit(false), screen, before), []);
    const final = visit(false, ["li", "wang"], "final");
    assert.deepEqual(keepsClosed(final, screen, now), []);
  }
  for (const screen of READING)
    assert.deepEqual(keepsClosed(visit(false), screen, now), []);
});
