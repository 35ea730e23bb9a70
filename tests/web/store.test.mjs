// What screens are told and may do, over a database in memory.

import assert from "node:assert/strict";
import { after, test } from "node:test";

import { Server, VISIT, problem, serverOp } from "./phone.mjs";
import { splitId } from "../../web/ops.js";

globalThis.document = { addEventListener() {}, visibilityState: "hidden" };
globalThis.addEventListener = () => {};
const interval = globalThis.setInterval;
globalThis.setInterval = (...given) => interval(...given).unref();
const timeout = globalThis.setTimeout;
globalThis.setTimeout = (...given) => timeout(...given).unref();

const server = new Server();
const store = await import("../../web/store.js");
await store.boot();
await store.signIn("li", "x");
await store.enrol("phone");
await store.syncNow();
after(async () => {
  server.instead = async () => problem(500, "internal");
  await store.signOut(String((await store.signOut()).confirm));
});

/** Two acts of the server make another one the leader. */
async function lead(officer, seq) {
  const other = officer === "li" ? "wang" : "li";
  server.put(
    serverOp("srv", seq, "assign", ["crew", other], {
      role: "member",
      reason: "x",
    }),
  );
  server.put(
    serverOp("srv", seq + 1, "assign", ["crew", officer], {
      role: "leader",
      reason: "x",
    }),
  );
  await store.syncNow();
  await store.visit(VISIT);
}

const WANG = "d".repeat(32);
const TEXT = ["answer", "p1", "note"];

test("an edit replaces what its author was shown when the field got the focus, not what came meanwhile", async () => {
  await store.visit(VISIT);
  const first = await store.act(
    VISIT,
    "set",
    TEXT,
    "初稿",
    store.heads(VISIT, TEXT),
  );
  await store.syncNow();
  await store.visit(VISIT);
  const base = store.heads(VISIT, TEXT);
  assert.deepEqual(base, [first]);
  const [rid, seq] = splitId(first);
  server.put(
    serverOp(WANG, 1, "set", TEXT, "王的", {
      base: [first],
      ctx: { [rid]: seq, srv: 2 },
    }),
  );
  await store.syncNow();
  await store.visit(VISIT);
  const mine = await store.act(VISIT, "set", TEXT, "我的", base);
  const { view } = await store.visit(VISIT);
  const [{ path, heads }] = view.conflicts;
  assert.deepEqual(path, TEXT);
  assert.deepEqual(
    heads.map(({ op, val }) => [op, val]).sort(),
    [
      [mine, "我的"],
      [`${WANG}:1`, "王的"],
    ].sort(),
  );
});

test("a member revises only his own version, the leader settles all", async () => {
  const seen = await store.visit(VISIT);
  const mine = seen.view.conflicts[0].heads.find(
    ({ author }) => author === "li",
  ).op;
  await lead("wang", 3);
  assert.deepEqual(store.heads(VISIT, TEXT), [mine]);
  await lead("li", 5);
  const { view, leader } = await store.visit(VISIT);
  assert.ok(leader);
  assert.equal(view.conflicts.length, 1);
  assert.equal(store.heads(VISIT, TEXT).length, 2);
  await store.act(VISIT, "set", TEXT, "定稿", store.heads(VISIT, TEXT));
  assert.deepEqual((await store.visit(VISIT)).view.conflicts, []);
});

test("two quick edits of one person aren't two versions, whatever the screen shows by then", async () => {
  await store.visit(VISIT);
  const path = ["answer", "p3", "note"];
  for (const text of ["一", "二", "三"])
    await store.act(VISIT, "set", path, text);
  const row = await store.act(VISIT, "add", ["finding"], { text: "甲" });
  await store.act(VISIT, "set", ["finding", row, "text"], "乙");
  const { view } = await store.visit(VISIT);
  assert.deepEqual(view.conflicts, []);
  assert.equal(view.content.answer.p3.note, "三");
  assert.equal(view.content.finding[row].text, "乙");
});

test("what is typed is kept in NFC, and what can't be an op is refused before anything is written", async () => {
  const before = (await store.outbox(true)).length;
  await assert.rejects(
    store.act(VISIT, "set", ["answer", "p1", "nonsense"], "x"),
    { code: "bad_path" },
  );
  await assert.rejects(store.act(VISIT, "set", TEXT, 1.5), {
    code: "bad_value",
  });
  assert.equal((await store.outbox(true)).length, before);
  await store.act(VISIT, "set", TEXT, "cafe\u0301");
  assert.equal(
    (await store.visit(VISIT)).view.content.answer.p1.note,
    "caf\u00e9",
  );
});

/** Every way to write into a visit; his own word on an interest apart. */
const WAYS = {
  act: () => store.act(VISIT, "set", TEXT, "再写"),
  add: () => store.act(VISIT, "add", ["finding"], { text: "再写" }),
  photos: () => store.addPhotos(VISIT, "visit", [], "camera"),
  sign: () =>
    store.captureSignature(VISIT, "li", { refused: "x" }, "0".repeat(64)),
  confirm: () => store.confirmSignature(VISIT, `${WANG}:1`),
  propose: () => store.proposeFinal(VISIT),
  admit: () => store.admit(VISIT, `${WANG}:1`, "x"),
};
const OWN = ["visit", "no_interest:li"];

async function refusesAll(code) {
  const before = (await store.outbox(true)).length;
  for (const [name, way] of Object.entries(WAYS))
    await assert.rejects(way(), { code }, name);
  assert.equal((await store.outbox(true)).length, before);
}

test("R18.2 nothing is written while one officer is left, but his own word on an interest is", async () => {
  const role = (seq, role) =>
    server.put(
      serverOp("srv", seq, "assign", ["crew", "wang"], { role, reason: "x" }),
    );
  const whole = server.crew;
  role(7, "removed");
  const [, wang] = whole;
  Object.assign(server, { rev: 2, crew: whole.slice(0, 1), former: [wang] });
  await store.syncNow();
  assert.equal((await store.visit(VISIT)).view.phase, "interrupted");
  const [, gone] = (await store.visit(VISIT)).board;
  assert.deepEqual([gone.name, gone.removed], ["wang的名字", "x"]);
  await refusesAll("interrupted");
  await store.act(VISIT, "set", OWN, { interest: false, reason: "" });
  role(8, "member");
  Object.assign(server, { rev: 3, crew: whole, former: undefined });
  await store.syncNow();
  await store.act(VISIT, "set", TEXT, "补人后");
});

test("signing out with a queue wants the number typed, and deletes nothing", async () => {
  server.instead = async () => problem(503, "busy");
  await store.act(VISIT, "set", ["answer", "p2", "note"], "未发");
  const unsent = (await store.outbox()).length;
  const asked = await store.signOut();
  assert.deepEqual(asked, { done: false, unsent, confirm: String(unsent) });
  assert.deepEqual(await store.signOut("yes"), asked);
  assert.equal(store.state().officer.id, "li");
  assert.ok((await store.exportQueue()).size > 1024);
  server.instead = async () => null;
});

test("R20.3 who recused himself writes nothing more, whatever calls, but a further word on his interest", async () => {
  await store.act(VISIT, "set", OWN, { interest: true, reason: "亲属" });
  await refusesAll("recused");
  await store.act(VISIT, "set", OWN, { interest: true, reason: "是表弟" });
  await refusesAll("recused");
});
