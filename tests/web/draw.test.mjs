// The page that checks draws: the vectors, honest files, and what it names where something was changed.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { H, SOURCES, bytes, canonical, chain, draw, lot, sealed } from "./draw-maker.mjs";
import { CORE, HTML, of, parts, verify } from "./verifier.mjs";

const read = (name) => JSON.parse(readFileSync(new URL(`../cases/${name}.json`, import.meta.url), "utf8"));
const faults = (...files) => parts(verify(files.map((file) => (file instanceof Uint8Array ? file : bytes(file)))));
const plain = (value) => JSON.parse(JSON.stringify(value));
const changed = (file, change) => {
  const copy = plain(file);
  change(copy);
  return copy;
};

test("every length of text has node's own SHA-256", () => {
  for (let n = 0; n < 300; n++) assert.equal(of("H")("随".repeat(n % 7) + "a".repeat(n)), H("随".repeat(n % 7) + "a".repeat(n)));
  const hash = of("prefixed");
  for (const prefix of ["", "a".repeat(52), `${"f".repeat(64)}|S|`, "b".repeat(140)]) {
    for (let n = 0; n < 140; n++) {
      hash(prefix)(new TextEncoder().encode("c".repeat(n)), 0, n);
      assert.equal(of("hexOf")(of("state")), H(prefix + "c".repeat(n)), `${prefix.length} + ${n}`);
    }
  }
});

test("the vector of subjects and the small example come out", () => {
  const known = read("sdraw1");
  const seed = of("seedOf")("sdraw1", known.commit, known.secret, known.contributions.map(([k, v]) => ({ k, v })));
  assert.equal(of("commitOf")("sdraw1", known.prev, known.frame_digest, known.rules_digest, known.secret), known.commit);
  assert.equal(seed, known.seed);
  assert.deepEqual(drawn(known.frame, JSON.parse(known.rules), seed), { quotas: known.quotas, winners: known.winners });

  const row = (end, stratum, more = "E\t-") => `91411303MA${end}\t${stratum}\t${more}\n`;
  const frame = row("3X7K2Q0X", "A") + row("40N8RW54", "B") + row("45H1JY3U", "B") + row("46PLC85K", "B")
    + row("47T2DU2B", "-", "X\tDRAWN_TWICE") + row("9GXP5T5B", "A"); // prettier-ignore
  assert.equal(of("H")(frame), "67005ee8bca8ffafb355028965d8b0d490fcc29589ebabf88582597bf6a06cbd");
  const small = "c7f94008f779864463964f01192c0f032f6df1b86a001d39d2998cfc9a401350";
  assert.deepEqual(drawn(frame, { alg: "sdraw1", mode: "ratio", ratio_bp: { A: 5000, B: 3400 } }, small), {
    quotas: { A: 1, B: 2 },
    winners: { A: ["91411303MA3X7K2Q0X"], B: ["91411303MA46PLC85K", "91411303MA40N8RW54"] },
  });
});

function drawn(frame, rules, seed) {
  const rows = of("rowsOf")(frame, of("isSubject"), assert.fail);
  const { quotas } = of("quotasOf")(rows.counts, rules, seed);
  const running = of("ticketsOf")(rows, new TextEncoder().encode(frame), seed);
  let step = running.next();
  while (!step.done) step = running.next();
  const codes = (name, n) => of("smallest")(rows, step.value, n, quotas[name], rows.counts[name])
    .map((at) => frame.slice(rows.starts[at], rows.ends[at])); // prettier-ignore
  return plain({ quotas, winners: Object.fromEntries([...rows.strata].map((name, n) => [name, codes(name, n)])) });
}

test("the twelve tight tasks and the further cases of crews come out", () => {
  const tight = read("omatch1");
  for (const { seed, elig, date, k, cap, O, lex, final, rounds } of tight) {
    const visits = elig.map((list, s) => ({ s, k, half_day: date[s], elig: list }));
    assert.equal(of("capOf")(visits, O, 1), cap);
    assert.deepEqual(plain(of("lexmin")(seed, visits, cap, 1)), lex);
    assert.deepEqual(plain(of("shuffle")(seed, visits, lex, cap, 1, rounds)), final);
  }
  const more = read("crew-more");
  for (const { seed, visits, e_rows, slots, cap, lex, teams, leaders, experts, replaced } of more) {
    const first = of("lexmin")(seed, visits, cap, slots);
    assert.deepEqual(Object.fromEntries(visits.map(({ s }, v) => [s, [...first[v]]])), lex);
    assert.deepEqual(plain(of("matchOf")(seed, visits, e_rows, slots)), { cap, teams, leaders });
    for (const { s, elig, n, o } of experts) assert.deepEqual([...of("lot")(seed, "E", s, elig)].slice(0, n).sort(), [...o].sort());
    for (const one of replaced) assert.equal(of("lot")(seed, "R", one.s, one.elig, `|${one.attempt}`)[0] ?? null, one.in);
  }
  assert.ok(tight.length >= 12 && more.length >= 12);
});

test("honest files are green, alone and as a chain with a void in it", () => {
  assert.deepEqual(faults(draw()), []);
  assert.deepEqual(faults(draw({ n: 997, bp: 700 })), []);
  assert.deepEqual(faults(...chain()), []);
});

test("whoever cuts out a void, forks the chain or hides the attempt before is named", () => {
  const [first, voided, again, third] = chain();
  assert.deepEqual(faults(first, again, third), ["chain"]);
  assert.deepEqual(faults(first, voided, again, draw({ no: "2026-4", prev: first.commit })), ["chain"]);
  assert.deepEqual(faults(voided, again, third), ["chain"]);
  assert.deepEqual(faults(first, sealed({ ...voided, void: null }), again, third), ["chain"]);
  assert.deepEqual(faults(...[voided, again].map((file) => sealed({ ...file, no: "2026-9" })), first), []);
});

const FORGERIES = {
  "a row of the list": ["frame", (file) => (file.frame = file.frame.slice(file.frame.indexOf("\n") + 1))],
  "the rules": ["rules", (file) => (file.rules = file.rules.replace("1000", "1001"))],
  "the secret": ["commit", (file) => (file.secret = H("another"))],
  "a number from outside": ["contributions", (file) => (file.contributions[1].v = "4712")],
  "two numbers swapped": ["contributions", (file) => file.contributions.reverse()],
  "a number before the commitment": ["contributions", (file) => (file.contributions[0].at = "2026-11-12T00:00:00.000Z")],
  "too little from outside": ["sources", (file) => (file.sources = file.sources.slice(1))],
  "a quota": ["quotas", (file) => (file.quotas.LOW += 1)],
  "a winner": ["winners", (file) => (file.winners.LOW[0] = file.reserve.LOW[0])],
  "the reserve": ["reserve", (file) => file.reserve.LOW.reverse()],
  "the seed": ["seed", (file) => (file.seed = H("another"))],
  "a substitute out of turn": ["excused", (file) => file.excused.push({ code: file.winners.LOW[0], reason: "已注销", next: file.reserve.LOW[1] })],
  "a void without a reason": ["void", (file) => (file.void = { reason: "", by: "head", at: "2026-11-18T01:00:00.000Z" })],
  "a key that nobody knows": ["form", (file) => (file.more = 1)],
}; // prettier-ignore

for (const [what, [part, change]] of Object.entries(FORGERIES)) {
  test(`the page names ${part} where a forger changed ${what} and hashed the record again`, () => {
    assert.ok(faults(sealed(changed(draw(), change))).includes(part));
  });
}

test("the next ticket may take the place of a subject that was excused", () => {
  const file = draw();
  file.excused.push({ code: file.winners.LOW[0], reason: "已注销", next: file.reserve.LOW[0] });
  assert.deepEqual(faults(sealed(file)), []);
});

test("any byte flipped, dropped or doubled is red", () => {
  const whole = bytes(draw({ n: 30 }));
  let tried = 0;
  for (let at = 0; at < whole.length; at += 7) {
    const flipped = Uint8Array.from(whole);
    flipped[at] ^= 1 << (at % 8);
    const dropped = Uint8Array.from([...whole.subarray(0, at), ...whole.subarray(at + 1)]);
    const doubled = Uint8Array.from([...whole.subarray(0, at), ...whole.subarray(at > 0 ? at - 1 : 0)]);
    for (const bad of [flipped, dropped, ...(at ? [doubled] : [])]) {
      tried++;
      assert.equal(verify([bad]).green, false, `byte ${at}`);
    }
  }
  console.log(`${tried} changed files`);
  assert.ok(tried > 1200);
});

test("other forms of the same file are refused", () => {
  const text = new TextDecoder().decode(bytes(draw()));
  for (const form of [text.trimEnd(), ` ${text}`, `${text}\n`, `\ufeff${text}`, text.replace('"attempt":1', '"attempt":1.0'), text.replace("随", "\\u968f").replace("青", "\\u9752")]) {
    assert.ok(faults(new TextEncoder().encode(form)).includes("form"), form.slice(0, 20));
  }
});

function crewed() {
  const file = draw({ n: 120 });
  const numbers = Array.from({ length: 12 }, (_, i) => `16140000${String(i).padStart(2, "0")}`);
  const frame = numbers.map((o, i) => `${o}\tsafety\t${i === 11 ? "X\tEXPIRED" : "E\t-"}\n`).join("");
  const won = Object.values(file.winners).flat().sort();
  const visits = won.map((s, i) => ({ s, k: 2, half_day: `2026-11-2${3 + (i % 3)}/am`, elig: numbers.slice(0, 11).filter((_, o) => (o + i) % 4) }));
  const rules = { alg: "omatch1", rounds: 40 * visits.length, slots: 1, sources: SOURCES.map(({ id }) => id), task: file.task, visits: H(canonical(visits)), year: 2026 };
  const made = lot("omatch1", { frame, rules, name: "crew" });
  const match = plain(of("matchOf")(made.seed, visits, 11, 1));
  const [first] = visits;
  const team = match.teams[first.s];
  const elig = first.elig.filter((o) => !team.includes(o));
  const next = [...elig].sort((a, b) => (H(`${made.seed}|R|${first.s}|${a}|1`) < H(`${made.seed}|R|${first.s}|${b}|1`) ? -1 : 1))[0];
  const replaced = [{
    s: first.s, out: team[0], in: next, attempt: 1, kind: "health", reason: "生病", by: "head",
    at: "2026-11-20T01:00:00.000Z", designated: false, elig, left_out: [],
  }]; // prettier-ignore
  return sealed({ ...file, officers: { alg: "omatch1", attempt: 1, ...made, visits, slots: 1, ...match, direct: [], merged: [], replaced } });
}

test("teams, leaders and a replacement that follow from the lot are green", () => assert.deepEqual(faults(crewed()), []));

const CREW_FORGERIES = {
  teams: (crew) => (crew.teams[crew.visits[1].s] = crew.visits[1].elig.slice(0, 2).reverse()),
  leaders: (crew) => (crew.leaders[crew.visits[1].s] = "1614000099"),
  frame: (crew) => (crew.frame = crew.frame.replace("X\tEXPIRED", "E\t-")),
  rules: (crew) => (crew.visits[0].half_day = "2026-11-27/am"),
  replaced: (crew) => crew.replaced[0].elig.pop(),
  contributions: (crew) => (crew.contributions[1].v = "1"),
  commit: (crew) => (crew.secret = H("another")),
};
for (const [part, change] of Object.entries(CREW_FORGERIES)) {
  test(`the page names officers.${part} where the crew's part was forged there`, () => {
    assert.ok(faults(sealed(changed(crewed(), ({ officers }) => change(officers)))).includes(`officers.${part}`));
  });
}

test("a code is found with its rank, its ticket and the cut", () => {
  const file = draw();
  const { facts } = verify([bytes(file)]).files[0];
  const [code] = file.reserve.LOW;
  const found = of("lookUp")(facts, ` ${code.toLowerCase()} `);
  assert.equal(found.ticket, H(`${file.seed}|S|${code}`));
  assert.equal(found.rank, file.quotas.LOW + 1);
  assert.equal(found.cut, H(`${file.seed}|S|${file.winners.LOW.at(-1)}`));
  assert.equal(of("lookUp")(facts, "91411303MA00000005").reason, "DRAWN_TWICE");
  assert.equal(of("lookUp")(facts, "NOBODY").found, false);
});

test("the page lets only its own scripts and style run and has no call to any network", () => {
  const digests = (tag) => [...HTML.matchAll(new RegExp(`<${tag}[^>]*>([\\s\\S]*?)</${tag}>`, "g"))]
    .map(([, text]) => `'sha256-${createHash("sha256").update(text).digest("base64")}'`).join(" "); // prettier-ignore
  const policy = /http-equiv="Content-Security-Policy" content="([^"]*)"/.exec(HTML)[1];
  assert.equal(policy, `default-src 'none'; script-src ${digests("script")}; style-src ${digests("style")}; worker-src blob:; base-uri 'none'; form-action 'none'`);
  const calls = /\bfetch\b|XMLHttpRequest|WebSocket|EventSource|sendBeacon|\bimport\b|importScripts|RTCPeer|\bsrc=|\bhref=|url\(|<link|<img|<iframe|\sstyle=|\son\w+=|innerHTML/;
  assert.equal(calls.exec(HTML.replace(/\.on\w+ ?=/g, "")), null);
  assert.ok(!/https?:\/\/(?!www\.w3\.org\/(2000\/svg|1999\/xhtml)")/.test(HTML));
  assert.ok(CORE.length > 10000);
});
