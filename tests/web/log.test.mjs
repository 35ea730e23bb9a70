// A phone's own check of the public log, over the cases that the server's rules and pymerkle agree on.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import {
  commitment,
  isConsistent,
  isIncluded,
  isSignedBy,
  leafHash,
  readCheckpoint,
  vouches,
} from "../../web/log.js";

const CASES = JSON.parse(
  readFileSync(new URL("../cases/log.json", import.meta.url), "utf8"),
);

test("an inclusion proof holds just where the tree has the leaf", async () => {
  for (const it of CASES.inclusion) {
    const leaf = await leafHash(it.leaf);
    const holds = await isIncluded(leaf, it.index, it.size, it.path, it.root);
    assert.equal(holds, it.good, JSON.stringify(it));
  }
  assert.ok(CASES.inclusion.length >= 30);
});

test("a consistency proof holds just where the one log is how the other began", async () => {
  for (const it of CASES.consistency) {
    const { first, first_root, size, root, path } = it;
    const holds = await isConsistent(first, first_root, size, root, path);
    assert.equal(holds, it.good, JSON.stringify(it));
  }
  assert.ok(CASES.consistency.length >= 30);
});

test("a checkpoint is read as it stands, and signed just by its key", async () => {
  for (const it of CASES.checkpoints) {
    const read = readCheckpoint(it.note);
    const { origin, size, root } = read ?? {};
    assert.deepEqual(read && { origin, size, root }, it.read, it.note);
    if (read) assert.equal(await isSignedBy(it.key, read), it.good, it.note);
  }
});

test("a new key counts just where each one before it vouches", async () => {
  for (const { keys, known, wanted, good } of CASES.keys)
    assert.equal(await vouches(keys, known, wanted), good);
});

test("where the browser has no Ed25519 the signature is neither good nor bad", async () => {
  const { importKey } = crypto.subtle;
  crypto.subtle.importKey = async () => {
    throw new DOMException("", "NotSupportedError");
  };
  try {
    const [it] = CASES.checkpoints;
    assert.equal(await isSignedBy(it.key, readCheckpoint(it.note)), null);
    const [, one] = CASES.keys;
    assert.equal(await vouches(one.keys, one.known, one.wanted), null);
  } finally {
    crypto.subtle.importKey = importKey;
  }
});

test("a leaf's commitment opens by its key", async () => {
  for (const it of CASES.commitments)
    assert.equal(await commitment(it.key, it.hidden), it.commitment);
});
