// A phone looks its records up in the log: what holds is counted, what doesn't is an alarm that stays.

import assert from "node:assert/strict";
import { createHash, generateKeyPairSync, sign } from "node:crypto";
import { test } from "node:test";

import { hashOf, opId, splitId } from "../../web/ops.js";
import { receiptsOf } from "../../web/receipts.js";
import { rescueOf } from "../../web/rescue.js";
import { Server, VISIT, answer, phone, problem } from "./phone.mjs";

const ORIGIN = "suijian.example.cn/log";

/** @param {...(string | Buffer)} parts */
const sha256 = (...parts) => {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return hash.digest();
};

/** The tree as the text of RFC 9162 defines it, node by node. */
const half = (n) => 2 ** Math.ceil(Math.log2(n) - 1);
const rootOf = (leaves) =>
  leaves.length === 1
    ? sha256(Buffer.of(0), leaves[0])
    : sha256(
        Buffer.of(1),
        rootOf(leaves.slice(0, half(leaves.length))),
        rootOf(leaves.slice(half(leaves.length))),
      );
function pathOf(at, leaves) {
  if (leaves.length === 1) return [];
  const k = half(leaves.length);
  return at < k
    ? [...pathOf(at, leaves.slice(0, k)), rootOf(leaves.slice(k))]
    : [...pathOf(at - k, leaves.slice(k)), rootOf(leaves.slice(0, k))];
}
function between(m, leaves, isOld = true) {
  if (m === leaves.length) return isOld ? [] : [rootOf(leaves)];
  const k = half(leaves.length);
  return m <= k
    ? [...between(m, leaves.slice(0, k), isOld), rootOf(leaves.slice(k))]
    : [...between(m - k, leaves.slice(k), false), rootOf(leaves.slice(0, k))];
}
const hex = (hashes) => hashes.map((one) => one.toString("hex"));

function newKey(origin = ORIGIN) {
  const { publicKey, privateKey } = generateKeyPairSync("ed25519");
  const raw = Buffer.concat([
    Buffer.of(1),
    publicKey.export({ type: "spki", format: "der" }).subarray(-32),
  ]);
  const id = sha256(`${origin}\n`, raw).subarray(0, 4);
  return {
    text: `${origin}+${id.toString("hex")}+${raw.toString("base64")}`,
    line: (text) =>
      `— ${origin} ${Buffer.concat([id, sign(null, Buffer.from(text), privateKey)]).toString("base64")}\n`,
  };
}

/** A server whose log takes what its journal takes. */
class Logging extends Server {
  origin = ORIGIN;
  keys = [{ key: newKey(), note: null }];
  leaves = ['{"n":1}', '{"n":2}', '{"n":3}'];
  entries = [];
  size = 0;
  /** Changes what a receipt says. */
  forge = (one) => one;
  /** Changes the checkpoint's note. */
  note = (text) => text;
  at = "2026-11-24T03:00:00.000Z";

  constructor() {
    super();
    this.sign();
    this.instead = async ({ path }) => {
      const { pathname, searchParams: asked } = new URL(path, "http://x");
      if (pathname === "/log/keys") return answer(this.given());
      if (pathname === "/log/consistency") return answer(this.grown(asked));
      if (pathname.endsWith("/receipts")) return answer(await this.told(asked));
      return null;
    };
  }

  exchange(json) {
    const [size, root] = [this.size, this.root()];
    return {
      ...super.exchange(json),
      receipt: { index: this.leaves.length, count: 1, size, root },
    };
  }

  sign() {
    this.size = this.leaves.length;
    const text = `${this.origin}\n${this.size}\n${Buffer.from(this.root(), "hex").toString("base64")}\n`;
    this.checkpoint = `${text}\n${this.keys.at(-1).key.line(text)}`;
  }

  root() {
    return rootOf(this.leaves.slice(0, this.size)).toString("hex");
  }

  given() {
    const keys = this.keys.map(({ key, note }) => ({
      origin: key.text.split("+")[0],
      key: key.text,
      note,
    }));
    return { keys, witnesses: [] };
  }

  grown(asked) {
    const [first, second] = [asked.get("first"), asked.get("second")];
    return {
      path: hex(between(Number(first), this.leaves.slice(0, Number(second)))),
    };
  }

  /** Takes the journal's ops into the log, then answers for those of one phone. */
  async told(asked) {
    for (const { op } of this.journal.values()) {
      if (this.entries.some(({ id }) => id === opId(op))) continue;
      const [n, key] = [this.leaves.length + 1, sha256(opId(op))];
      const after = sha256(key, await hashOf(op));
      const object = `op:${VISIT}:${opId(op)}`;
      this.leaves.push(
        JSON.stringify({ after: after.toString("hex"), n, object }),
      );
      this.entries.push({ id: opId(op), n, key: key.toString("hex") });
    }
    const receipts = this.entries
      .map(({ id, n, key }) => ({ at: splitId(id), index: n - 1, key }))
      .filter(({ at: [rid] }) => rid === asked.get("rid"))
      .map(({ at: [, seq], index, key }) => ({
        seq,
        index,
        key,
        leaf: this.leaves[index],
        path:
          index < this.size
            ? hex(pathOf(index, this.leaves.slice(0, this.size)))
            : null,
      }))
      .filter(({ seq }) => seq > Number(asked.get("after")));
    const shown = receipts.slice(0, 2).map(this.forge).filter(Boolean);
    const more = receipts.length > 2;
    return {
      checkpoint: this.note(this.checkpoint),
      at: this.at,
      receipts: shown,
      more,
    };
  }
}

/** A phone whose five records are in the log, checked once. */
async function scene() {
  const server = new Logging();
  const it = await phone();
  const ids = await it.fill(5);
  await it.run();
  const here = { db: it.db, officer: { token: "t" } };
  const look = () => receiptsOf(here, VISIT, true);
  const whys = async () => (await look()).found.alarms.map(({ why }) => why);
  await look();
  server.sign();
  return { server, it, ids, here, look, whys };
}

test("what the server took waits for a checkpoint, then is in the log, and is known without any network", async () => {
  const { server, it, ids, here, look } = await scene();
  const before = await receiptsOf(here, VISIT, false);
  assert.deepEqual(
    [before.n, before.found.logged, before.found.waiting],
    [5, 0, 5],
  );
  const { found } = await look();
  assert.deepEqual(
    [found.logged, found.waiting, found.alarms, found.signed],
    [5, 0, [], true],
  );
  assert.deepEqual(Object.keys(found.proofs).sort(), ids.sort());
  const root = server.root().toUpperCase();
  assert.equal(found.code, `${root.slice(0, 4)}-${root.slice(4, 8)}`);
  assert.deepEqual([found.size, found.at], [server.size, server.at]);
  server.instead = async () => problem(500, "internal");
  assert.deepEqual((await receiptsOf(here, VISIT, false)).found, found);
  const bundle = Buffer.from(
    await (await rescueOf(it.db, { id: "li", name: "li" })).arrayBuffer(),
  );
  assert.ok(bundle.includes("receipts.json"));
  assert.ok(bundle.includes(found.proofs[ids[0]].key));
  const [claim] = await it.db.getAllKeys(
    "kv",
    IDBKeyRange.bound("receipt:", "receipt;"),
  );
  assert.ok(bundle.includes(`"${claim}"`));
});

const CHANGED = {
  absent: (one) => (one.seq === 2 ? null : one),
  other: (one) =>
    one.seq === 2 ? { ...one, leaf: one.leaf.replace(":2", ":3") } : one,
  "other, by its key": (one) =>
    one.seq === 2 ? { ...one, key: "0".repeat(64) } : one,
  "other, by its place": (one) =>
    one.seq === 2 ? { ...one, index: one.index + 1 } : one,
  proof: (one) =>
    one.seq === 2 ? { ...one, path: one.path.with(0, "0".repeat(64)) } : one,
};
for (const [name, forge] of Object.entries(CHANGED))
  test(`a receipt that doesn't hold is an alarm with what was given: ${name}`, async () => {
    const { server, ids, look } = await scene();
    server.forge = forge;
    const { found } = await look();
    const [{ why, id, given }, ...more] = found.alarms;
    assert.deepEqual([why, id, more], [name.split(",")[0], ids[1], []]);
    assert.equal(given.length, name === "absent" ? 0 : 1);
    assert.equal(found.logged, 4);
    server.forge = (one) => one;
    const later = (await look()).found;
    assert.deepEqual(
      [later.logged, later.alarms],
      [5, found.alarms],
      "it stays",
    );
  });

test("a checkpoint that isn't signed by the known key counts for nothing", async () => {
  const { server, look, whys } = await scene();
  server.note = (note) => `${note.slice(0, -10)}AAAAAAAA=\n`;
  assert.deepEqual(await whys(), ["signature"]);
  assert.equal((await look()).found.logged, 0);
  server.note = () => "nothing";
  assert.deepEqual(await whys(), ["signature", "note"]);
});

test("a new key counts when the old one vouches for it, and is an alarm when nobody does", async () => {
  const { server, whys } = await scene();
  const [{ key: old }, fresh, strange] = [server.keys[0], newKey(), newKey()];
  const text = `${ORIGIN}\nnew key\n${fresh.text}\n`;
  server.keys.push({
    key: fresh,
    note: `${text}\n${old.line(text)}${fresh.line(text)}`,
  });
  server.sign();
  assert.deepEqual(await whys(), []);
  server.keys.push({ key: strange, note: null });
  server.sign();
  assert.deepEqual(await whys(), ["key"]);
});

test("a log that became shorter, or began otherwise, is an alarm", async () => {
  const { server, look, whys } = await scene();
  await look();
  const whole = [...server.leaves];
  server.leaves = whole.slice(0, 6);
  server.entries = server.entries.filter(({ n }) => n <= 6);
  server.sign();
  assert.ok((await whys()).includes("shrunk"));
  server.leaves = ['{"n":0}', ...whole.slice(1), '{"n":9}'];
  server.sign();
  assert.ok((await whys()).includes("rewritten"));
});

test("what an answer to a push said of the log has to be found again", async () => {
  const { server, it, look, whys } = await scene();
  await look();
  const honest = server.root.bind(server);
  server.root = () => "f".repeat(64);
  await it.set(["answer", "p1", "note"], "后写的");
  await it.run();
  server.root = honest;
  assert.deepEqual(await whys(), ["rewritten"]);
});

test("another log is told once, and is the known one from then on", async () => {
  const { server, look, whys } = await scene();
  await look();
  server.origin = `${ORIGIN}2`;
  server.keys.push({ key: newKey(server.origin), note: null });
  server.leaves = server.leaves.slice(0, 3);
  server.entries = [];
  server.sign();
  assert.deepEqual(await whys(), ["anew"]);
  server.sign();
  const { found } = await look();
  assert.deepEqual([found.alarms.length, found.logged], [1, 5]);
});
