// Makes published draws for the tests of the page, with node's own SHA-256 and the shortest way to each definition.

import { createHash } from "node:crypto";

export const H = (text) => createHash("sha256").update(text).digest("hex");
export const ZERO = "0".repeat(64);

export function canonical(value) {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  const inside = Object.keys(value).sort().map((key) => `${JSON.stringify(key)}:${canonical(value[key])}`);
  return `{${inside.join(",")}}`;
}
export const bytes = (file) => new TextEncoder().encode(`${canonical(file)}\n`);

/** The file with its `record` made anew, as a forger would. */
export function sealed(file) {
  const { record: _, ...rest } = file;
  return { ...rest, record: H(canonical(rest)) };
}

export const SOURCES = [
  { id: "kl8/2026312", kind: "lottery", bits: 61, what: "快乐8第2026312期", due: "2026-11-17T12:00:00.000Z" },
  { id: "witness/1", kind: "digits", bits: 0, what: "见证人", due: "2026-11-17T12:00:00.000Z" },
];
const VALUES = ["01 07 09 12 15 22 23 31 33 38 40 41 47 52 55 60 61 70 74 80", "4711"];

/** Commitment, contributions and seed for a frame and rules. */
export function lot(alg, { prev = ZERO, frame, rules, name }) {
  const secret = H(`secret ${name}`);
  const text = canonical(rules);
  const commit = H(`${alg}|commit|${prev}|${H(frame)}|${H(text)}|${H(secret)}`);
  const contributions = SOURCES.map(({ id: k }, i) => ({
    k, v: VALUES[i], at: "2026-11-17T02:00:00.000Z", by: "见证人甲", evidence: null,
  })); // prettier-ignore
  const seed = H([`${alg}|seed`, commit, secret, ...contributions.map(({ k, v }) => H(`${k}=${v}`))].join("|"));
  return {
    prev, frame, frame_digest: H(frame), rules: text, rules_digest: H(text), sources: SOURCES, commit,
    committed_at: "2026-11-13T01:00:00.000Z", contributions, secret, seed, void: null,
  }; // prettier-ignore
}

/** A draw by ratio of `n` subjects in two strata. */
export function draw({ n = 60, no = "2026-1", attempt = 1, prev = ZERO, bp = 1000, dead = false } = {}) {
  const codes = Array.from({ length: n }, (_, i) => `91411303MA${String(i).padStart(8, "0")}`);
  const group = (i) => (i % 3 ? "LOW" : "HIGH");
  const frame = codes.map((code, i) => (i === 5 ? `${code}\t-\tX\tDRAWN_TWICE\n` : `${code}\t${group(i)}\tE\t-\n`)).join("");
  const rules = {
    alg: "sdraw1", base: n, filters: [], item: "item-1", mode: "ratio", ratio_bp: { HIGH: bp, LOW: bp },
    sources: SOURCES.map(({ id }) => id), task: "2026-007", year: 2026,
  }; // prettier-ignore
  const made = lot("sdraw1", { prev, frame, rules, name: `${no} ${attempt}` });
  const out = { quotas: {}, winners: {}, reserve: {} };
  for (const name of ["HIGH", "LOW"]) {
    const mine = codes.filter((_, i) => i !== 5 && group(i) === name);
    const tickets = new Map(mine.map((code) => [code, H(`${made.seed}|S|${code}`)]));
    const sorted = mine.sort((a, b) => (tickets.get(a) < tickets.get(b) ? -1 : 1));
    out.quotas[name] = Math.ceil((mine.length * bp) / 10000);
    out.winners[name] = sorted.slice(0, out.quotas[name]);
    out.reserve[name] = sorted.slice(out.quotas[name], out.quotas[name] + 10);
  }
  const gone = { reason: "停电", by: "head", at: "2026-11-18T01:00:00.000Z" };
  return sealed({
    t: "draw/1", no, office: "青溪区应急管理局", task: "2026-007", attempt, ...made, ...out,
    excused: [], officers: null, void: dead ? gone : null,
  }); // prettier-ignore
}

/** Chain of draws: the second one voided and drawn again. */
export function chain() {
  const first = draw({ no: "2026-1" });
  const voided = draw({ no: "2026-2", prev: first.commit, dead: true });
  const again = draw({ no: "2026-2", attempt: 2, prev: voided.commit });
  return [first, voided, again, draw({ no: "2026-3", prev: again.commit })];
}
