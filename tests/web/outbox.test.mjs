// The queue on the phone: nothing but a verdict of the server takes an op out of it.

import assert from "node:assert/strict";
import { test } from "node:test";

import { hashOf, opId } from "../../web/ops.js";
import { Server, VISIT, answer, phone, problem, serverOp } from "./phone.mjs";

test("ops are dense and chained, however many are made at once", async () => {
  new Server();
  const it = await phone();
  await Promise.all(
    [1, 2, 3, 4, 5].map((n) => it.set(["answer", `p${n}`, "note"], String(n))),
  );
  const rows = await it.rows();
  assert.deepEqual(
    rows.map(({ seq }) => seq),
    [1, 2, 3, 4, 5],
  );
  for (const [i, { op }] of rows.entries())
    assert.equal(op.prev, i ? await hashOf(rows[i - 1].op) : "");
  assert.deepEqual(rows[4].op.ctx, { srv: 2, [await it.rid()]: 4 });
});

test("what the server has taken leaves the outbox, and keeps its verdict", async () => {
  const server = new Server();
  const it = await phone();
  server.verdict = (op) =>
    op.seq === 2
      ? (server.put(op, "quarantined", "not_leader"),
        ["quarantined", "not_leader"])
      : null;
  const ids = await it.fill(3);
  await it.run();
  assert.deepEqual(await it.open(), []);
  assert.deepEqual(
    (await it.rows()).map(({ verdict, reason }) => [verdict, reason]),
    [
      ["ok", null],
      ["quarantined", "not_leader"],
      ["ok", null],
    ],
  );
  assert.ok(ids.every((id) => server.journal.has(id)));
});

const WRONG = {
  "a 200 of somebody else's": () => answer("<p>Welcome", 200, "text/html"),
  "a 200 of JSON that isn't an exchange": () => answer({ hello: 1 }),
  "a 401": () => problem(401, "unauthenticated"),
  "a 400": () => problem(400, "not_json"),
  "a 404": () => problem(404, "not_found"),
  "a 413": () => problem(413, "too_large"),
  "a 426": () => problem(426, "min_proto"),
  "a 429": () => problem(429, "too_many"),
  "a 500": () => problem(500, "internal"),
  "a 507": () => problem(507, "full"),
  "a redirect": () =>
    new Response(null, { status: 302, headers: { Location: "/" } }),
  "no answer": () => Promise.reject(new TypeError("Failed to fetch")),
};

for (const [name, wrong] of Object.entries(WRONG)) {
  test(`${name} leaves the queue as it was, however often`, async () => {
    const server = new Server();
    const it = await phone();
    const ids = await it.fill(5);
    server.instead = async ({ path }) =>
      path === "/api/sync" ? wrong() : null;
    for (let i = 0; i < 6; i += 1) await it.run();
    assert.deepEqual(await it.open(), ids);
    server.instead = async () => null;
    it.sync.refused = null;
    it.sync.status.paused = null;
    await it.run();
    assert.deepEqual(await it.open(), []);
    assert.ok(ids.every((id) => server.journal.has(id)));
  });
}

test("an unknown verdict keeps the op", async () => {
  const server = new Server();
  const it = await phone();
  server.verdict = () => ["perhaps", null];
  const ids = await it.fill(2);
  await it.run();
  assert.deepEqual(await it.open(), ids);
});

test("a 401 asks for the password once, and asks the server no more until then", async () => {
  const server = new Server();
  const it = await phone();
  await it.fill(2);
  server.instead = async () => problem(401, "unauthenticated");
  await it.run();
  const asked = server.asked.length;
  await it.run();
  assert.equal(it.sync.status.paused, "signin");
  assert.equal(server.asked.length, asked);
});

test("a culprit delays the others by three rounds at most, and is kept apart", async () => {
  const server = new Server();
  const it = await phone();
  const ids = await it.fill(40);
  server.instead = async ({ path, json }) =>
    path === "/api/sync" &&
    json.push.some(({ ops }) => ops.some(({ seq }) => seq === 17))
      ? problem(400, "not_json")
      : null;
  for (let i = 0; i < 3; i += 1) await it.run();
  assert.deepEqual(await it.open(), []);
  assert.ok(ids.every((id) => server.journal.has(id)));
  const dead = server.asked.flatMap(({ push }) =>
    push.flatMap(({ dead: raw = [] }) => raw.map(({ seq }) => seq)),
  );
  assert.deepEqual([...new Set(dead)], [17]);
});

test("a culprit that the server stumbles over is found too, where the server lives", async () => {
  const server = new Server();
  const it = await phone();
  await it.fill(40);
  server.instead = async ({ path, json }) =>
    path === "/api/sync" &&
    json.push.some(({ ops }) => ops.some(({ seq }) => seq === 30))
      ? problem(500, "internal")
      : null;
  for (let i = 0; i < 3; i += 1) await it.run();
  assert.deepEqual(await it.open(), []);
});

test("a full disk blames no op", async () => {
  const server = new Server();
  const it = await phone();
  await it.fill(5);
  server.instead = async ({ path, json }) =>
    path === "/api/sync" && json.push.length ? problem(507, "full") : null;
  for (let i = 0; i < 6; i += 1) await it.run();
  assert.ok((await it.rows()).every((row) => !row.as_dead));
});

test("a lost answer and the same push again: each is there once", async () => {
  const server = new Server();
  const it = await phone();
  const ids = await it.fill(4);
  let lost = 1;
  server.instead = async ({ path, json }) => {
    if (path !== "/api/sync" || !lost) return null;
    lost -= 1;
    server.exchange(json);
    throw new TypeError("Failed to fetch");
  };
  await it.run();
  assert.deepEqual(await it.open(), ids);
  await it.run();
  assert.deepEqual(await it.open(), []);
  assert.equal(
    [...server.journal.keys()].filter((id) => ids.includes(id)).length,
    4,
  );
});

test("a forked replica begins anew: new ids, the same content, signatures asked for anew", async () => {
  const server = new Server();
  const it = await phone();
  await it.set(["visit", "attendee"], "甲");
  await it.run();
  const old = await it.rid();
  const { alone, append } = await import("../../web/outbox.js");
  const add = (draft) =>
    alone(it.db, VISIT, () => append(it.db, VISIT, { author: "li", ...draft }));
  const row = await add({
    kind: "add",
    path: ["finding"],
    val: { text: "一" },
  });
  const edit = await add({
    kind: "set",
    path: ["finding", opId(row), "text"],
    val: "二",
    base: [opId(row)],
  });
  const sha = "b".repeat(64);
  const val = {
    size: 1,
    mime: "image/jpeg",
    for: `finding:${opId(row)}`,
    w: null,
    h: null,
    taken: null,
    source: "camera",
  };
  await add({ kind: "attach", path: ["media", sha], val });
  await add({ kind: "confirm", path: ["sign", "li"], val: { op: `${old}:1` } });
  server.verdict = (op) => (op.rid === old ? ["fork", null] : null);
  await it.run();
  const fresh = await it.rid();
  assert.notEqual(fresh, old);
  assert.deepEqual(await it.open(), []);
  const sent = [...server.journal.values()]
    .map(({ op }) => op)
    .filter((op) => op.rid === fresh);
  assert.deepEqual(
    sent.map(({ seq, kind, path }) => [seq, kind, path]),
    [
      [1, "add", ["finding"]],
      [2, "set", ["finding", `${fresh}:1`, "text"]],
      [3, "attach", ["media", sha]],
    ],
  );
  assert.deepEqual(sent[1].base, [`${fresh}:1`]);
  assert.equal(sent[2].val.for, `finding:${fresh}:1`);
  assert.equal(sent[1].at, edit.at);
  assert.deepEqual(sent[0].ctx, { srv: 2, [old]: 1 });
  assert.equal(await it.db.get("kv", "asked_anew"), 1);
  assert.equal((await it.rows()).filter(({ again }) => again === "").length, 1);
});

test("a key that another phone holds is given up for a new one", async () => {
  const server = new Server();
  const it = await phone();
  const ids = await it.fill(2);
  const old = await it.rid();
  server.instead = async ({ path, json }) => {
    if (path === "/api/sync" && json.rid === old)
      return problem(403, "unenrolled");
    return path === "/api/devices" && json.rid === old
      ? problem(409, "other_key")
      : null;
  };
  await it.run();
  const fresh = await it.rid();
  assert.notEqual(fresh, old);
  assert.deepEqual(await it.open(), []);
  assert.deepEqual(
    [...server.journal.keys()].slice(2),
    ids.map((id) => id.replace(old, fresh)),
  );
});

test("an unenrolled session enrols again with the same id and key", async () => {
  const server = new Server();
  const it = await phone();
  await it.fill(2);
  const rid = await it.rid();
  let times = 1;
  server.instead = async ({ path }) =>
    path === "/api/sync" && times-- > 0 ? problem(403, "unenrolled") : null;
  await it.run();
  assert.deepEqual(server.rids, [rid, rid]);
  assert.deepEqual(await it.open(), []);
});

test("after a restored backup everything that the server lacks is sent: own, others', the server's", async () => {
  const server = new Server();
  const it = await phone();
  server.put(
    serverOp("b".repeat(32), 1, "set", ["answer", "p9", "note"], "乙"),
  );
  const ids = await it.fill(3);
  await it.run();
  assert.equal(server.journal.size, 6);
  const [first] = server.journal.values();
  server.journal = new Map([[opId(first.op), first]]);
  server.epoch = "e2";
  await it.run();
  assert.deepEqual(
    [...server.journal.keys()].sort(),
    ["srv:1", "srv:2", `${"b".repeat(32)}:1`, ...ids].sort(),
  );
  assert.deepEqual(await it.open(), []);
  assert.ok(
    (await it.db.getAll("ops")).every(({ n }) => server.journal.size >= n),
  );
});

test("an op that waits for a colleague's brings that one along", async () => {
  const server = new Server();
  const it = await phone();
  const other = "c".repeat(32);
  server.put(serverOp(other, 1, "set", ["answer", "p9", "note"], "丙"));
  await it.run();
  server.journal.delete(`${other}:1`);
  const [id] = await it.fill(1);
  await it.run();
  assert.ok(server.journal.has(`${other}:1`));
  assert.ok(
    server.asked.some(({ push }) =>
      push.some(({ rid, ops }) => rid === other && ops.length),
    ),
  );
  assert.ok(id);
});
