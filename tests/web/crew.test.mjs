// What a change of the crew means for a phone: its own recusal locks a visit, a certificate ends with the phone's day.

import assert from "node:assert/strict";
import { test } from "node:test";
import { endedBefore, hasRecused, isLocked, localDay } from "../../web/crew.js";

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
  for (const screen of ["checklist", "finding", "sign", "result", "evidence"]) {
    assert.equal(isLocked(RECUSED, "li", screen), true, screen);
    assert.equal(isLocked(RECUSED, "wang", screen), false, screen);
  }
  for (const screen of ["visit", "record"])
    assert.equal(isLocked(RECUSED, "li", screen), false, screen);
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
