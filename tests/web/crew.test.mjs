// What a change of the crew means for a phone: its own recusal locks a visit, a certificate ends with the phone's day.

import assert from "node:assert/strict";
import { test } from "node:test";
import {
  closedBy,
  endedBefore,
  hasRecused,
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
const READING = ["visit", "record", "group"];

const RECUSED = {
  visit: {
    "no_interest:li": { interest: true, reason: "亲属" },
    "no_interest:wang": { interest: false, reason: "" },
  },
};

test("R20.3 only the officer who declared an interest is locked out, and can still read", () => {
  assert.equal(hasRecused(RECUSED, "li"), true);
  assert.equal(hasRecused(RECUSED, "wang"), false);
  assert.equal(hasRecused(RECUSED, "zhang"), false);
  const view = { content: RECUSED, phase: "started" };
  for (const screen of WRITING) {
    assert.equal(closedBy(view, "li", screen), "recused", screen);
    assert.equal(closedBy(view, "wang", screen), null, screen);
  }
  for (const screen of READING)
    assert.equal(closedBy(view, "li", screen), null, screen);
});

test("R18.2 an interrupted visit closes what writes to those who are left, and stays readable", () => {
  const view = { content: RECUSED, phase: "interrupted" };
  for (const screen of WRITING) {
    assert.equal(closedBy(view, "wang", screen), "interrupted", screen);
    assert.equal(closedBy(view, "li", screen), "recused", screen);
  }
  for (const screen of READING)
    assert.equal(closedBy(view, "wang", screen), null, screen);
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

test("a member's ended certificate keeps the checklist and findings closed until the certificates were shown", () => {
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
  for (const screen of ["checklist", "findings", "finding"]) {
    assert.deepEqual(keepsClosed(visit(undefined), screen, now), [crew[1]]);
    assert.deepEqual(keepsClosed(visit(false), screen, now), [crew[1]]);
    assert.deepEqual(keepsClosed(visit(true), screen, now), []);
    assert.deepEqual(keepsClosed(visit(false, ["li"]), screen, now), []);
    const before = new Date(2026, 8, 7);
    assert.deepEqual(keepsClosed(visit(false), screen, before), []);
    const final = visit(false, ["li", "wang"], "final");
    assert.deepEqual(keepsClosed(final, screen, now), []);
  }
  for (const screen of [...READING, "evidence", "sign"])
    assert.deepEqual(keepsClosed(visit(false), screen, now), []);
});
