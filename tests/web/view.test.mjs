// The view on the phone: verdicts, foreseen and learnt; signatures and what stales them; what is missing for final.

import assert from "node:assert/strict";
import { test } from "node:test";

import { opId } from "../../web/ops.js";
import { changesBetween, foldAt } from "../../web/signed.js";
import { cutOf, effectiveOf, isTooNew, sceneOf } from "../../web/standing.js";
import { viewOf } from "../../web/view.js";
import { FRAME, IMAGE, Journal, LI, PHOTO, WANG } from "./scene.mjs";

const view = (journal) => viewOf(journal.entries, FRAME, journal.facts);
const standing = (journal, id) => sceneOf(journal.entries, FRAME, journal.facts).standing.get(id);
const codes = ({ missing }) => missing.map(({ code, detail }) => [code, ...Object.values(detail)].join(" "));
const states = ({ signatures }) => signatures.map(({ signer, state }) => `${signer} ${state}`);

/** A visit in which nothing was found and everything is answered. */
function ready() {
  const journal = new Journal();
  for (const point of ["p1", "p2"]) journal.set(LI, ["answer", point, "verdict"], "pass");
  for (const rid of [LI, WANG]) {
    const officer = rid === LI ? "li" : "wang";
    journal.set(rid, ["visit", `no_interest:${officer}`], { interest: false, reason: null });
  }
  journal.set(LI, ["visit", "result:fire"], ["no_problem_found"]);
  journal.set(LI, ["visit", "result"], "no_problem_found");
  return journal;
}

/** Signs what is shown now. */
async function sign(journal, rid, signer, role, { val = {}, ...more } = {}) {
  const { digest } = await view(journal);
  const scene = sceneOf(journal.entries, FRAME, journal.facts);
  const mark = { digest, ...cutOf(journal.entries, scene), role, image: IMAGE, strokes: null, refused: null, ...val };
  return journal.put(rid, "sign", ["sign", signer], mark, more);
}

async function propose(journal) {
  const { digest, signatures } = await view(journal);
  const { cut } = cutOf(journal.entries, sceneOf(journal.entries, FRAME, journal.facts));
  const val = { digest, cut, result: "no_problem_found", signatures: signatures.map(({ op }) => op) };
  return journal.put(LI, "propose_final", ["final"], val);
}

async function signed() {
  const journal = ready();
  await sign(journal, LI, "li", "leader");
  await sign(journal, WANG, "wang", "member");
  await sign(journal, LI, "subject", "subject");
  return journal;
}

test("a visit goes from dispatch to final, and each step names what is missing", async () => {
  const journal = new Journal();
  assert.equal((await view(journal)).phase, "dispatched");
  journal.set(LI, ["visit", "notice_read"], true);
  const started = await view(journal);
  assert.equal(started.phase, "started");
  assert.deepEqual(codes(started), [
    "unanswered_point fire p1",
    "unanswered_point fire p2",
    "result fire",
    "result",
    "signature li",
    "signature wang",
    "subject_signature",
    "interest_undeclared li",
    "interest_undeclared wang",
  ]);
  const done = await signed();
  assert.deepEqual(codes(await view(done)), []);
  await propose(done);
  assert.equal((await view(done)).phase, "final_pending");
  const { digest } = await view(done);
  done.put("srv", "accept_final", ["final"], { digest, round: 1, signatures: [] });
  const final = await view(done);
  assert.deepEqual([final.phase, final.digest, codes(final)], ["final", digest, []]);
});

test("I11 two members sign in either order over one digest; a later change stales both and is named exactly", async () => {
  const journal = await signed();
  assert.deepEqual(states(await view(journal)), ["li current", "subject current", "wang current"]);
  journal.set(WANG, ["visit", "summary"], "补充一句");
  const row = journal.put(WANG, "add", ["finding"], { text: "堵塞" });
  const { signatures, missing } = await view(journal);
  assert.deepEqual(new Set(signatures.map(({ state }) => state)), new Set(["stale"]));
  for (const { changed } of signatures)
    assert.deepEqual(changed, [
      ["finding", row],
      ["visit", "summary"],
    ]);
  assert.deepEqual(
    missing.filter(({ code }) => code === "signature_stale").map(({ detail }) => detail.officer),
    ["li", "wang"],
  );
});

test("I11 a change that nobody can see stales nothing", async () => {
  const journal = await signed();
  journal.set(WANG, ["answer", "p1", "verdict"], "pass");
  assert.deepEqual(states(await view(journal)), ["li current", "subject current", "wang current"]);
});

test("a signature on another's phone is weak until its owner confirms it from his own, having received it", async () => {
  const journal = ready();
  const mark = await sign(journal, LI, "wang", "member", { author: "wang", via: "li" });
  assert.deepEqual(states(await view(journal)), ["wang weak"]);
  assert.ok(codes(await view(journal)).includes("signature_weak wang"));
  journal.put(LI, "confirm", ["sign", "wang"], { op: mark }, { author: "wang" });
  assert.deepEqual(states(await view(journal)), ["wang weak"]);
  journal.put(WANG, "confirm", ["sign", "wang"], { op: mark }, { ctx: { srv: 2 } });
  assert.deepEqual(states(await view(journal)), ["wang weak"]);
  journal.put(WANG, "confirm", ["sign", "wang"], { op: mark });
  assert.deepEqual(states(await view(journal)), ["wang current"]);
});

test("a signature waits for its image and for the operations that its cut names", async () => {
  const journal = ready();
  await sign(journal, LI, "li", "leader", { val: { image: "9".repeat(64) } });
  assert.deepEqual(states(await view(journal)), ["li awaiting_image"]);
  await sign(journal, LI, "li", "leader", { val: { cut: { [WANG]: 7 } } });
  assert.ok(states(await view(journal)).includes("li awaiting_ops"));
});

test("a signature with another digest, role or crew is invalid", async () => {
  for (const [signer, role, val] of [
    ["li", "leader", { digest: "0".repeat(64) }],
    ["li", "member", {}],
    ["li", "leader", { image: null }],
    ["subject", "subject", { refused: "不签" }],
    ["witness", "subject", {}],
    ["expert:e1", "witness", {}],
  ]) {
    const journal = ready();
    await sign(journal, LI, signer, role, { val });
    assert.deepEqual(states(await view(journal)), [`${signer} invalid`]);
  }
});

test("R23.2 a refusal of the subject counts once another member bears it out", async () => {
  const journal = ready();
  await sign(journal, LI, "subject", "subject", { val: { image: null, refused: "拒绝签字" } });
  await sign(journal, LI, "li", "leader");
  assert.ok(codes(await view(journal)).includes("subject_signature"));
  await sign(journal, WANG, "wang", "member");
  assert.deepEqual(codes(await view(journal)), []);
});

test("two versions block signing, and name their authors", async () => {
  const journal = ready();
  const seen = journal.ctx();
  const heads = [
    journal.set(LI, ["visit", "summary"], "甲"),
    journal.set(WANG, ["visit", "summary"], "乙", { ctx: seen }),
  ];
  const { digest, short, conflicts } = await view(journal);
  assert.deepEqual([digest, short], [null, null]);
  assert.deepEqual(conflicts[0].path, ["visit", "summary"]);
  assert.deepEqual(
    conflicts[0].heads.map(({ op, author, val }) => [op, author, val]),
    [
      [heads[0], "li", "甲"],
      [heads[1], "wang", "乙"],
    ],
  );
});

test("the last rule or admission decides what has effect", async () => {
  const journal = new Journal();
  const id = journal.set(WANG, ["visit", "result"], "qualified", { verdict: "quarantined", reason: "not_leader" });
  assert.deepEqual((await view(journal)).quarantined, [{ op: id, reason: "not_leader" }]);
  journal.put("srv", "admit", ["op", id], { reason: "", by: "li" });
  assert.equal((await view(journal)).content.visit.result, "qualified");
  journal.put("srv", "rule", ["op", id], { verdict: "late", reason: null });
  assert.deepEqual((await view(journal)).late, [id]);
  assert.equal(effectiveOf(journal.entries, FRAME, journal.facts).has(id), false);
});

test("what intake noted beside an operation is flagged, the reason of one that was admitted isn't", async () => {
  const journal = new Journal();
  const ahead = journal.set(LI, ["visit", "summary"], "x", { reason: "clock_ahead" });
  const aside = journal.set(WANG, ["visit", "result_note"], "x", { verdict: "quarantined", reason: "not_leader" });
  journal.put("srv", "admit", ["op", aside], { reason: "", by: "li" });
  assert.deepEqual((await view(journal)).flags, [{ op: ahead, flag: "clock_ahead" }]);
});

test("a phone foresees what the server will say of what it hasn't sent", () => {
  const foreseen = (fill) => {
    const journal = new Journal();
    return standing(journal, fill(journal));
  };
  const summary = ["visit", "summary"];
  const wangs = (more) => (journal) => journal.draft(WANG, "set", summary, "x", more);
  assert.deepEqual(foreseen(wangs()), { verdict: "ok", reason: null });
  const reasons = {
    not_member: wangs({ author: "zhao" }),
    template_mismatch: wangs({ tpl: "0".repeat(64) }),
    not_leader: (journal) => journal.draft(WANG, "set", ["visit", "result:fire"], []),
    reassigned: (journal) => {
      const ctx = journal.ctx();
      journal.assign("wang", "removed");
      return wangs({ ctx })(journal);
    },
    recused: (journal) => {
      journal.draft(WANG, "set", ["visit", "no_interest:wang"], { interest: true, reason: "亲属" });
      return wangs()(journal);
    },
    void_visit: (journal) => {
      journal.put("srv", "void", ["visit"], { reason: "", by: "head" });
      return wangs()(journal);
    },
    no_licence_at_time: (journal) => {
      Object.assign(journal.facts, {
        certificates: { wang: "2026-10-31" },
        window: { from: "2026-11-01", to: "2026-11-30" },
      });
      return wangs()(journal);
    },
  };
  for (const [reason, fill] of Object.entries(reasons)) {
    assert.deepEqual(foreseen(fill), { verdict: "quarantined", reason });
  }
});

test("after a final the phone's own new operations are late, and after a reopening they count again", async () => {
  const journal = await signed();
  const { digest } = await view(journal);
  journal.put("srv", "accept_final", ["final"], { digest, round: 1, signatures: [] });
  const late = journal.draft(LI, "set", ["visit", "summary"], "迟");
  assert.deepEqual((await view(journal)).late, [late]);
  journal.entries.pop();
  journal.put("srv", "reopen", ["round"], { round: 2, reason: "", by: "head" });
  const id = journal.draft(LI, "set", ["visit", "summary"], "再");
  assert.equal(standing(journal, id).verdict, "ok");
  const reopened = await view(journal);
  assert.deepEqual([reopened.round, reopened.phase], [2, "started"]);
  assert.notEqual(reopened.digest, digest);
});

test("R20.3 an officer who declares an interest leaves the crew short and his earlier work flagged", async () => {
  const journal = ready();
  const earlier = journal.set(WANG, ["visit", "summary"], "早");
  journal.set(WANG, ["visit", "no_interest:wang"], { interest: true, reason: "亲属" });
  const interrupted = await view(journal);
  assert.equal(interrupted.phase, "interrupted");
  assert.deepEqual(interrupted.flags, [{ op: earlier, flag: "by_recused" }]);
  assert.ok(codes(interrupted).includes("crew wang"));
});

test("a proposal over content that has changed since says so", async () => {
  const journal = await signed();
  const proposal = await propose(journal);
  journal.set(WANG, ["visit", "summary"], "晚一步");
  assert.ok(codes(await view(journal)).includes(`digest_changed ${proposal}`));
});

test("the cut of a signature lists what had no effect on this phone, and folds back to what was shown", async () => {
  const journal = ready();
  const id = journal.set(WANG, ["visit", "result"], "qualified", { verdict: "quarantined", reason: "not_leader" });
  const { cut, excluded } = cutOf(journal.entries, sceneOf(journal.entries, FRAME, journal.facts));
  assert.deepEqual(excluded, [id]);
  assert.equal((await foldAt(journal.entries, FRAME, cut, excluded)).digest, (await view(journal)).digest);
});

test("changes are named field by field, rows and photos that came or went as wholes", async () => {
  const journal = ready();
  const photo = { size: 5, mime: "image/jpeg", for: "visit", w: 1, h: 1, taken: null, source: "camera" };
  journal.put(LI, "attach", ["media", PHOTO], photo);
  const kept = journal.put(LI, "add", ["finding"], { text: "甲", place: "东" });
  const gone = journal.put(LI, "add", ["finding"], {});
  const shown = async () => {
    const { cut } = cutOf(journal.entries, sceneOf(journal.entries, FRAME, journal.facts));
    return foldAt(journal.entries, FRAME, cut, []);
  };
  const then = await shown();
  journal.set(WANG, ["finding", kept, "text"], "乙", { base: [kept] });
  journal.put(LI, "del", ["finding", gone], null);
  journal.put(LI, "retract", ["media", PHOTO], { reason: "模糊" });
  journal.assign("wang", "leader");
  const now = await shown();
  assert.deepEqual(changesBetween(then.content, now.content), [
    { path: ["finding", kept, "text"], then: "甲", now: "乙" },
    { path: ["finding", gone], then: null, now: null },
    { path: ["leader"], then: "li", now: "wang" },
    { path: ["media", PHOTO], then: { for: "visit", size: 5, mime: "image/jpeg" }, now: null },
  ]);
});

test("something with effect that the app doesn't know makes it too old to sign", () => {
  const journal = ready();
  assert.equal(isTooNew(journal.entries), false);
  journal.set(WANG, ["visit", "weather"], "晴");
  assert.equal(isTooNew(journal.entries), true);
});

test("I2 the order in which entries lie in memory changes nothing", async () => {
  const journal = await signed();
  journal.set(WANG, ["visit", "summary"], "后");
  const reversed = { ...journal, entries: [...journal.entries].reverse() };
  assert.deepEqual(await view(reversed), await view(journal));
  assert.equal(new Set(journal.entries.map(({ op }) => opId(op))).size, journal.entries.length);
});
