// Operations on the phone: canonical bytes, signatures, and what is wrong with one.

import assert from "node:assert/strict";
import { test } from "node:test";

import { buildOp, canonical, faultOf, hashOf, importPublicKey, signOp, verifyOp } from "../../web/ops.js";
import { FRAME, LI, PHOTO, WANG } from "./scene.mjs";

const OTHER = `${WANG}:1`;
const op = (more = {}) => ({
  ...buildOp({
    visit: FRAME.visit,
    rid: LI,
    seq: 2,
    prev: "0".repeat(64),
    kind: "set",
    path: ["visit", "summary"],
    val: "好",
    base: [],
    ctx: { [WANG]: 3 },
    author: "li",
    at: "2026-11-24T10:00:00+08:00",
    tpl: FRAME.tpl,
    app: "1.0.0",
  }),
  ...more,
});
const set = (path, val) => op({ path, val });
const nested = (depth) => (depth ? [nested(depth - 1)] : 1);

test("keys are sorted by UTF-16 units and control characters are escaped as RFC 8785 says", () => {
  const keys = { "\u20ac": 1, "\r": 2, "\ufb33": 3, 1: 4, "\u{1f600}": 5, "\u0080": 6, "\u00f6": 7 };
  assert.equal(canonical(keys), '{"\\r":2,"1":4,"\u0080":6,"\u00f6":7,"\u20ac":1,"\u{1f600}":5,"\ufb33":3}');
  assert.equal(
    canonical('\u0000\b\t\n\f\r\u001f"\\/\u007f\u2028'),
    '"\\u0000\\b\\t\\n\\f\\r\\u001f\\"\\\\/\u007f\u2028"',
  );
  assert.equal(canonical([-0, 9007199254740991, 1e21, null, true]), "[0,9007199254740991,1e+21,null,true]");
});

test("a lone surrogate has no canonical form", () => {
  assert.throws(() => canonical("\ud800"));
});

test("a signed op verifies with its key, and neither with another key nor after any change", async () => {
  const make = () => crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, false, ["sign", "verify"]);
  const [mine, others] = [await make(), await make()];
  const signed = await signOp(op(), mine.privateKey);
  const key = await importPublicKey(await crypto.subtle.exportKey("jwk", mine.publicKey));
  assert.match(signed.sig, /^[\w-]{86}$/);
  assert.equal(await verifyOp(signed, key), true);
  assert.equal(await verifyOp(signed, others.publicKey), false);
  assert.equal(await verifyOp({ ...signed, val: "坏" }, key), false);
  assert.equal(await verifyOp({ ...signed, sig: "?" }, key), false);
  assert.equal(await hashOf(signed), await hashOf(op()));
});

test("an op is built with text in NFC, sorted heads and its own earlier ops in ctx", () => {
  const given = {
    ...op(),
    val: { text: "cafe\u0301" },
    base: [`${WANG}:2`, `${WANG}:10`, `${WANG}:2`],
    ctx: { [LI]: 9 },
  };
  const built = buildOp(given);
  assert.deepEqual(built.val, { text: "caf\u00e9" });
  assert.deepEqual(built.base, [`${WANG}:10`, `${WANG}:2`]);
  assert.deepEqual(built.ctx, { [LI]: 1 });
  assert.deepEqual(buildOp({ ...given, seq: 1, ctx: {} }).ctx, {});
  assert.equal(buildOp({ ...given, base: Array.from({ length: 30 }, (_, i) => `${WANG}:${i + 1}`) }).base.length, 16);
});

const sign = { digest: PHOTO, cut: {}, excluded: [], role: "member", image: PHOTO, strokes: null, refused: null };
const attach = { size: 5, mime: "image/jpeg", for: "visit", w: 1, h: null, taken: null, source: "camera" };

const SOUND = {
  "a cleared field": set(["visit", "summary"], null),
  "a section named in words": set(["visit", "section:储存场所"], ["li"]),
  "a declaration": set(["visit", "no_interest:li"], { interest: false, reason: null }),
  "results of an item": set(["visit", "result:fire"], ["no_problem_found"]),
  "an answer": set(["answer", "p1", "verdict"], "anything"),
  "a caption": set(["media", PHOTO, "caption"], "门口"),
  "a finding's field": set(["finding", OTHER, "crime"], false),
  "a new finding": op({ kind: "add", path: ["finding"], val: { text: "堵塞", due: null } }),
  "a struck row": op({ kind: "del", path: ["finding", OTHER], val: { reason: null } }),
  "a photo": op({ kind: "attach", path: ["media", PHOTO], val: attach }),
  "a signature": op({ kind: "sign", path: ["sign", "expert:e1"], val: { ...sign, role: "expert" } }),
  "a proposal": op({
    kind: "propose_final",
    path: ["final"],
    val: { digest: PHOTO, cut: { srv: 1 }, result: "unreachable", signatures: [OTHER] },
  }),
  "lists four deep": set(["visit", "attempts"], nested(4)),
  "8 KiB of text": set(["visit", "summary"], "x".repeat(8192)),
  "an assignment by a later server": op({ rid: "srv2", kind: "assign", path: ["crew", "li"], val: { role: "member" } }),
};

const FAULTS = {
  unknown_kind: { "a newer envelope": op({ v: 2 }), "a newer kind": op({ kind: "move" }) },
  server_kind: { "a phone that admits": op({ kind: "admit", path: ["op", OTHER], val: {} }) },
  bad_path: {
    "no such field": set(["visit", "weather"], "x"),
    "no such group": set(["weather", "rain"], "x"),
    "an inherited name": set(["finding", OTHER, "constructor"], "x"),
    "no such point": set(["answer", "p9", "verdict"], "pass"),
    "a result without item": set(["visit", "result:"], []),
    "a row that is no op": set(["finding", "r1", "text"], "x"),
    "a medium that is no hash": set(["media", "abc", "caption"], "x"),
    "a field too deep": set(["visit", "summary", "x"], "x"),
    "no path": op({ path: [] }),
    "a finding's unknown field": op({ kind: "add", path: ["finding"], val: { colour: "red" } }),
    "a proposal elsewhere": op({ kind: "propose_final", path: ["final", "x"], val: {} }),
  },
  bad_value: {
    "a fraction": set(["visit", "attempts"], [1.5]),
    "text for a truth": set(["visit", "notice_read"], "yes"),
    "a list for text": set(["visit", "summary"], []),
    "decomposed text": set(["visit", "summary"], "cafe\u0301"),
    "a decomposed key": set(["visit", "arrived"], { "e\u0301": 1 }),
    "over 8 KiB of text": set(["visit", "summary"], `${"x".repeat(8190)}好`),
    "five deep": set(["visit", "attempts"], nested(5)),
    "a finding that is a list": op({ kind: "add", path: ["finding"], val: [] }),
    "a retraction without a reason": op({ kind: "retract", path: ["media", PHOTO], val: null }),
    "a photo from nowhere": op({ kind: "attach", path: ["media", PHOTO], val: { ...attach, source: "scan" } }),
    "a photo with one member more": op({ kind: "attach", path: ["media", PHOTO], val: { ...attach, x: 1 } }),
    "a base that ctx doesn't cover": op({ base: [`${WANG}:4`] }),
    "a base twice": op({ base: [OTHER, OTHER] }),
    "a base out of order": op({ base: [`${WANG}:2`, `${WANG}:1`] }),
    "seventeen heads": op({
      ctx: { [LI]: 1, [WANG]: 99 },
      base: Array.from({ length: 17 }, (_, i) => `${WANG}:${i + 10}`),
    }),
    "a zero in ctx": op({ ctx: { [LI]: 1, [WANG]: 0 } }),
    "own ops skipped": op({ ctx: {} }),
    "a day that isn't": op({ at: "2026-02-30T10:00:00+08:00" }),
    "a time without offset": op({ at: "2026-02-03T10:00:00" }),
    "a field missing": (({ geo: _, ...rest }) => rest)(op()),
    "a field more": op({ colour: "red" }),
    "a member's name with a space": op({ author: "li li" }),
  },
};

const points = new Set(["p1"]);

for (const [name, given] of Object.entries(SOUND)) {
  test(`nothing is wrong with ${name}`, () => assert.equal(faultOf(given, points), null));
}
for (const [fault, given] of Object.entries(FAULTS)) {
  for (const [name, faulty] of Object.entries(given)) {
    test(`${fault}: ${name}`, () => assert.equal(faultOf(faulty, points), fault));
  }
}
