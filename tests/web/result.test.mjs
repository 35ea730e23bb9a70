// The ten results of article 24 on the phone: what each needs, what forbids it, what may stand together.

import assert from "node:assert/strict";
import { test } from "node:test";

import { fold, groupsOf } from "../../web/fold.js";
import { choicesFor, lastStep, mainChoices, materialOf, mayJoin, NUMBERS, resultMissing, TYPES } from "../../web/result.js";
import { ITEM, Journal, LI, PHOTO } from "./scene.mjs";

const OTHER = { id: "doors", judged: "findings", points: [{ id: "p9" }] };
const STANDARD = { ...ITEM, judged: "standard" };

function material(fill) {
  const journal = new Journal();
  fill({
    answer: (point, verdict, note) => {
      journal.set(LI, ["answer", point, "verdict"], verdict);
      if (note) journal.set(LI, ["answer", point, "note"], note);
    },
    visit: (field, val) => journal.set(LI, ["visit", field], val),
    finding: (val) => journal.put(LI, "add", ["finding"], val),
    photo: (place, more = {}) => {
      const { geo = null, ...rest } = more;
      const val = {
        size: 5,
        mime: "image/jpeg",
        for: place,
        w: 1,
        h: 1,
        taken: "2026-11-24",
        source: "camera",
        ...rest,
      };
      journal.put(LI, "attach", ["media", PHOTO], val, { geo });
    },
  });
  const folded = fold(
    journal.entries.map(({ op }) => op),
    { has: () => true },
  );
  return materialOf(folded, groupsOf(folded), [ITEM, OTHER]);
}

/** The codes that an item with these types lacks; the points are answered unless `fill` says otherwise. */
function lacking(types, fill, item = ITEM) {
  const m = material((say) => {
    say.answer("p1", "pass");
    say.answer("p2", "pass");
    say.visit("result:fire", types);
    say.visit("result", types[0]);
    fill?.(say);
  });
  return resultMissing(m, [item]).map(({ code, detail: { item: _, ...rest } }) =>
    [code, ...Object.values(rest)].join(" "),
  );
}

const ROW = `${LI}:5`;
const geo = { lat_e7: 1, lon_e7: 2, acc_cm: 3 };

test("R24.7 a finding whose point is in no item counts for every item, like one without a point", () => {
  const found = (val) => lacking(["no_problem_found"], (say) => say.finding(val));
  assert.deepEqual(found({ text: "x", point: "gone" }), [`result_mismatch ${ROW}`]);
  assert.deepEqual(found({ text: "x", point: "gone" }), found({ text: "x" }));
});

test("R24.2 the types are offered in their order, with the numbers of article 24", () => {
  assert.deepEqual(NUMBERS, [6, 3, 10, 5, 8, 2, 4, 7, 1, 9]);
  assert.deepEqual(new Set(TYPES).size, 10);
});

test("R24.2 type 1 needs every point answered well and no finding, and why a point doesn't apply", () => {
  const one = ["no_problem_found"];
  assert.deepEqual(lacking(one), []);
  assert.deepEqual(
    lacking(one, (say) => say.answer("p2", "na")),
    ["unanswered_point p2"],
  );
  assert.deepEqual(
    lacking(one, (say) => say.answer("p2", "na", "无此设备")),
    [],
  );
  assert.deepEqual(
    lacking(one, (say) => say.answer("p2", "fail")),
    ["result_mismatch p2"],
  );
  assert.deepEqual(
    lacking(one, (say) => say.finding({})),
    [`result_mismatch ${LI}:5`],
  );
  assert.deepEqual(lacking(one, null, STANDARD), ["result_mismatch"]);
});

test("R24.2 types 2, 3 and 8 stand on a finding", () => {
  assert.deepEqual(
    lacking(["info_not_disclosed"], (say) => say.finding({ severity: "major" })),
    ["finding"],
  );
  assert.deepEqual(
    lacking(["info_not_disclosed"], (say) => say.finding({ text: "未公示" })),
    [],
  );
  assert.deepEqual(lacking(["info_false"]), ["finding", "evidence"]);
  assert.deepEqual(
    lacking(["info_false"], (say) => (say.finding({ text: "假" }), say.photo("visit"))),
    ["evidence"],
  );
  assert.deepEqual(
    lacking(["info_false"], (say) => (say.finding({ text: "假" }), say.photo(`finding:${ROW}`))),
    [],
  );
  assert.deepEqual(
    lacking(["pending_followup"], (say) => say.finding({})),
    ["followup"],
  );
  assert.deepEqual(
    lacking(["pending_followup"], (say) => {
      say.finding({});
      say.visit("followup", { owner: "li", due: "2026-12-09", text: "" });
    }),
    [],
  );
});

test("R27.1 type 4 needs a photo with time and place and two attempts, and no checklist", () => {
  const four = ["unreachable"];
  const attempts = (...times) => times.map((at) => ({ at, way: "visit", result: "", by: "li" }));
  assert.deepEqual(lacking(four), ["evidence", "attempts"]);
  assert.deepEqual(
    lacking(four, (say) => (say.photo("visit", { geo }), say.visit("attempts", attempts("a", "b")))),
    [],
  );
  assert.deepEqual(
    lacking(four, (say) => (say.photo("visit"), say.visit("attempts", attempts("a", "a")))),
    ["evidence", "attempts"],
  );
  assert.deepEqual(
    lacking(four, (say) => (say.photo("visit", { geo, taken: null }), say.answer("p1", null))),
    ["evidence", "attempts"],
  );
});

test("R24.2 type 5 needs an order, and a day where it isn't on the spot", () => {
  const five = ["ordered_to_correct"];
  assert.deepEqual(
    lacking(five, (say) => say.finding({ measure: "none" })),
    ["finding"],
  );
  assert.deepEqual(
    lacking(five, (say) => say.finding({ measure: "on_spot" })),
    [],
  );
  assert.deepEqual(
    lacking(five, (say) => say.finding({ measure: "deadline" })),
    [`order_deadline ${ROW}`],
  );
  assert.deepEqual(
    lacking(five, (say) => say.finding({ measure: "deadline", due: "2026-12-01", point: "p9" })),
    ["finding"],
  );
});

test("R25.1 type 6 needs a circumstance of article 25 and evidence; what was answered stays, what wasn't isn't missed", () => {
  const six = ["serious_noncooperation"];
  const because = (...circumstances) => ({ circumstances, text: "" });
  assert.deepEqual(
    lacking(six, (say) => say.answer("p1", null)),
    ["circumstance", "evidence"],
  );
  assert.deepEqual(
    lacking(six, (say) => (say.photo("answer:p1"), say.visit("noncooperation", because("entry_refused")))),
    [],
  );
  assert.deepEqual(
    lacking(six, (say) => (say.photo("visit"), say.visit("noncooperation", because("other_obstruction")))),
    ["circumstance"],
  );
  assert.deepEqual(
    lacking(six, (say) => (say.photo("visit"), say.visit("noncooperation", because("rude")))),
    ["circumstance"],
  );
  assert.deepEqual(
    lacking(six, (say) => (say.photo("visit"), say.visit("noncooperation", { circumstances: "entry_refused" }))),
    ["circumstance"],
  );
});

test("R24.2 type 7 needs evidence and a sentence, 9 and 10 a standard", () => {
  assert.deepEqual(lacking(["no_relevant_activity"]), ["evidence", "result"]);
  assert.deepEqual(lacking(["qualified"], null, STANDARD), ["basis"]);
  assert.deepEqual(
    lacking(["qualified"], (say) => (say.visit("basis:fire", "GB 1"), say.answer("p1", "na")), STANDARD),
    [],
  );
  assert.deepEqual(
    lacking(["unqualified"], (say) => say.visit("basis:fire", "GB 1"), STANDARD),
    ["finding"],
  );
  assert.deepEqual(
    lacking(["unqualified"], (say) => (say.visit("basis:fire", "GB 1"), say.finding({}))),
    ["result_mismatch"],
  );
});

test("R24.3 what stands alone stands alone, and nothing unknown or doubled counts", () => {
  assert.deepEqual(mayJoin("unreachable"), []);
  assert.equal(mayJoin("info_false").length, 5);
  assert.deepEqual(lacking(["unreachable", "info_false"]), ["result_mismatch"]);
  assert.deepEqual(lacking(["info_false", "info_false"]), ["result_mismatch"]);
  assert.deepEqual(lacking([null]).sort(), ["result", "result_mismatch"]);
  assert.deepEqual(lacking([]), ["result", "result"]);
});

test("R24.4 the visit's main result is the main type of one of its items", () => {
  assert.deepEqual(mainChoices(["unreachable", "unreachable"]), ["unreachable"]);
  assert.deepEqual(mainChoices(["unreachable", "info_false"]), []);
  assert.deepEqual(mainChoices(["no_relevant_activity", "no_problem_found"]), ["no_problem_found"]);
  assert.deepEqual(mainChoices(["no_problem_found", "ordered_to_correct"]), ["ordered_to_correct"]);
  assert.deepEqual(mainChoices(["pending_followup", "info_false"]), ["info_false", "pending_followup"]);
  assert.deepEqual(mainChoices(["no_problem_found", undefined]), []);
});

test("a type is greyed by what forbids it and otherwise says what it needs", () => {
  const m = material((say) => say.finding({ text: "堵塞" }));
  const choices = Object.fromEntries(choicesFor(m, ITEM).map((it) => [it.type, it]));
  assert.equal(choices.no_problem_found.can, false);
  assert.equal(choices.qualified.can, false);
  assert.equal(choices.info_false.can, true);
  assert.deepEqual(
    choices.pending_followup.needs.map(({ code }) => code),
    ["followup", "unanswered_point", "unanswered_point"],
  );
  assert.equal(choices.unreachable.n, 4);
});

const lacks = (code, detail = {}) => ({ code, detail });
const WEAK = lacks("signature_weak", { officer: "wang" });

test("the leader may propose when all have drawn their signatures over today's content", () => {
  const of = (missing, ...signatures) => lastStep({ missing, signatures });
  assert.deepEqual(of([]), { lacking: [], may: true });
  assert.deepEqual(of([WEAK, lacks("media")]), { lacking: [WEAK], may: true });
  for (const code of ["signature", "signature_stale", "subject_signature", "conflict", "unanswered_point", "crew"]) {
    assert.equal(of([WEAK, lacks(code)]).may, false, code);
  }
});

test("the subject's signature counts as drawn while its image is on its way, and his refusal while a witness confirms", () => {
  const subject = (state) => lastStep({ missing: [WEAK, lacks("subject_signature")], signatures: [{ signer: "subject", state }] });
  assert.deepEqual(subject("current"), { lacking: [WEAK], may: true });
  assert.deepEqual(subject("awaiting_image"), {
    lacking: [WEAK, lacks("signature_image", { officer: "subject" })],
    may: true,
  });
  assert.equal(subject("stale").may, false);
});

test("after the content changed the leader proposes anew", () => {
  assert.equal(lastStep({ missing: [lacks("digest_changed", { op: "x:1" })], signatures: [] }).may, true);
});
