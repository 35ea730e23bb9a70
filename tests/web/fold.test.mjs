// The fold in JavaScript: the published cases to the byte, in any order and with anything doubled.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { contentOf, digestOf, fold, groupsOf, headsAt, shortCode } from "../../web/fold.js";
import { canonical, hashOf, opId } from "../../web/ops.js";
import { chance, Journal, LI, PHOTO, shuffled, WANG } from "./scene.mjs";

const cases = [1, 2].flatMap((part) =>
  JSON.parse(readFileSync(new URL(`../cases/fold-${part}.json`, import.meta.url), "utf8")),
);

async function outcomeOf(given, ops) {
  const without = new Set(given.quarantined);
  const folded = fold(ops, { has: (id) => !without.has(id) });
  const content = contentOf(folded, given, given.members, given.leader, given.round);
  return {
    content: content.content,
    withdrawn: content.withdrawn,
    media: content.media,
    conflicts: folded.conflicts,
    digest: folded.conflicts.length ? null : await digestOf(content),
  };
}

test("there are as many cases as were published", () => {
  assert.equal(cases.length, 71);
  assert.equal(cases.flatMap(({ ops }) => ops).length, 997);
});

for (const [i, given] of cases.entries()) {
  const name = given.name ?? `generated case ${i + 1}`;
  test(`${name}: the published content and digest`, async () => {
    assert.equal(canonical(await outcomeOf(given, given.ops)), canonical(given.expect));
  });

  test(`${name}: any order and any doubling gives the same`, async () => {
    const random = chance(i);
    for (let turn = 0; turn < 5; turn++) {
      const ops = shuffled([...given.ops, ...given.ops.filter(() => random() < 0.3)], random);
      assert.equal(canonical(await outcomeOf(given, ops)), canonical(given.expect));
    }
  });

  test(`${name}: the published hash of every op`, async () => {
    const hashes = await Promise.all(given.ops.map(async (op) => [opId(op), await hashOf(op)]));
    assert.deepEqual(Object.fromEntries(hashes), given.hashes);
  });
}

const foldAll = (journal) =>
  fold(
    journal.entries.map(({ op }) => op),
    { has: () => true },
  );

test("a caption doesn't bring a retracted photo back, a second attach that the retraction hadn't received does", () => {
  const journal = new Journal();
  const photo = { size: 5, mime: "image/jpeg", for: "visit", w: 1, h: 1, taken: null, source: "camera" };
  journal.put(LI, "attach", ["media", PHOTO], photo);
  const seen = journal.ctx();
  journal.put(LI, "retract", ["media", PHOTO], { reason: "模糊" });
  journal.set(WANG, ["media", PHOTO, "caption"], "门口", { ctx: seen });
  assert.deepEqual(foldAll(journal).withdrawn, [PHOTO]);
  assert.deepEqual(groupsOf(foldAll(journal)).media, {});
  journal.put(WANG, "attach", ["media", PHOTO], photo, { ctx: seen });
  assert.deepEqual(groupsOf(foldAll(journal)).media, { [PHOTO]: { for: "visit", caption: "门口" } });
});

test("equal values from two phones are one value, and both are its heads", () => {
  const journal = new Journal();
  const seen = journal.ctx();
  const heads = [
    journal.set(LI, ["visit", "summary"], "同"),
    journal.set(WANG, ["visit", "summary"], "同", { ctx: seen }),
  ];
  const folded = foldAll(journal);
  assert.deepEqual(folded.conflicts, []);
  assert.deepEqual(headsAt(folded, ["visit", "summary"]), heads);
});

test("two versions within a struck row are no conflict", () => {
  const journal = new Journal();
  const row = journal.put(LI, "add", ["finding"], {});
  const seen = journal.ctx();
  journal.set(LI, ["finding", row, "text"], "甲");
  journal.set(WANG, ["finding", row, "text"], "乙", { ctx: seen });
  assert.equal(foldAll(journal).conflicts.length, 1);
  journal.put(LI, "del", ["finding", row], null);
  assert.deepEqual(foldAll(journal).conflicts, []);
});

test("of several attach operations the one with the smallest id speaks for the photo, whenever it came", () => {
  const photo = { size: 5, mime: "image/jpeg", for: "visit", w: 1, h: 1, taken: null, source: "camera" };
  for (const order of [
    [LI, WANG],
    [WANG, LI],
  ]) {
    const journal = new Journal();
    for (const rid of order) {
      journal.put(rid, "attach", ["media", PHOTO], rid === LI ? { ...photo, for: "answer:p1" } : photo);
    }
    assert.deepEqual(groupsOf(foldAll(journal)).media, { [PHOTO]: { for: "answer:p1" } });
  }
});

test("a point may be called __proto__ and a field of a newer app is passed over", () => {
  const journal = new Journal();
  journal.set(LI, ["answer", "__proto__", "verdict"], "pass");
  journal.set(LI, ["weather", "rain"], true);
  assert.equal(canonical(groupsOf(foldAll(journal)).answer), '{"__proto__":{"verdict":"pass"}}');
});

test("the short code is the first eight digits of the digest", () => {
  assert.equal(shortCode(`3f7a91c2${"0".repeat(56)}`), "3F7A-91C2");
  assert.equal(shortCode(null), null);
});
