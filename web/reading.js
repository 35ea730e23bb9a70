// How screens read a visit: its sections and findings with the numbers people use, and words for any path and value.

import { pathKey } from "./fold.js";
import { state } from "./store.js";
import { day, list, t, word } from "./ui/words.js";

/** @import { Visit } from "./store.js" */
/** @typedef {{id: string, no: string, text: string, how?: string, basis?: string, section: string, major?: boolean, applies?: {text?: string}, item: string}} Point */
/** @typedef {{name: string, n: number, points: Point[]}} Part a section of the checklist */
/** @typedef {{row: string, n: number, alive: boolean, fields: any, author: string, at: string, struck: any[]}} Finding */

/** @type {WeakMap<object, Part[]>} */
const parted = new WeakMap();

/** Sections in the order of the checklist; a point's number is its section's and its place in it. @param {any} template @returns {Part[]} */
export function partsOf(template) {
  if (!template) return [];
  let known = parted.get(template);
  if (known) return known;
  known = [];
  for (const item of template.items) {
    for (const point of item.points) {
      let part = known.find(({ name }) => name === point.section);
      if (!part) known.push((part = { name: point.section, n: known.length + 1, points: [] }));
      const no = `${part.n}.${String(part.points.length + 1).padStart(2, "0")}`;
      part.points.push({ ...point, no, item: item.id });
    }
  }
  parted.set(template, known);
  return known;
}

/** @param {any} template */
export const pointsOf = (template) => partsOf(template).flatMap(({ points }) => points);

/** @param {Visit} v @param {string | undefined} id */
export const pointOf = (v, id) => pointsOf(v.template).find((point) => point.id === id);

/** The values standing at a path: more than one are versions that wait for the leader. @param {Visit} v @param {string[]} path */
export const versionsAt = (v, path) => v.folded.registers.get(pathKey(path))?.values ?? [];

/** `pass` `fail` `na`, `open`, or `conflict`. @param {Visit} v @param {string} point */
export function answerOf(v, point) {
  const values = versionsAt(v, ["answer", point, "verdict"]);
  return values.length > 1 ? "conflict" : (values[0]?.val ?? "open");
}

/** @param {Visit} v @param {Point[]} points */
export const answeredIn = (v, points) => points.filter(({ id }) => answerOf(v, id) !== "open").length;

/** Findings, struck ones too, so that a number never passes to another. @param {Visit} v @returns {Finding[]} */
export function findingsOf(v) {
  const order = new Map(v.entries.map((entry, i) => [entry.op ? `${entry.op.rid}:${entry.op.seq}` : i, i]));
  return [...v.folded.rows]
    .map(([row, thing]) => ({ row, thing, at: order.get(row) ?? Infinity }))
    .sort((a, b) => a.at - b.at || (a.row < b.row ? -1 : 1))
    .map(({ row, thing }, i) => ({
      row,
      n: i + 1,
      alive: thing.alive,
      fields: fieldsOf(v, row),
      author: thing.makers[0].author,
      at: thing.makers[0].at,
      struck: thing.killers,
    }));
}

/** A row's fields as they stand; where versions differ, the first. @param {Visit} v @param {string} row */
function fieldsOf(v, row) {
  /** @type {Record<string, any>} */
  const fields = {};
  for (const { path, values } of v.folded.registers.values()) {
    if (path[0] === "finding" && path[1] === row && values[0].val !== null) fields[path[2]] = values[0].val;
  }
  return fields;
}

/** @param {Visit} v @param {string | null} officer */
export const nameOf = (v, officer) => {
  const { crew, former = [] } = v.assignment;
  const known = [...crew, ...former].find((/** @type {any} */ one) => one.officer === officer);
  return (
    known?.name ??
    (officer === "subject" ? t("who.subject") : officer === "witness" ? t("who.witness") : (officer ?? ""))
  );
};

export const myId = () => state().officer?.id ?? "";

/** Crew of today, the leader first. @param {Visit} v */
export const crewOf = (v) =>
  v.view.members
    .map(
      (/** @type {string} */ id) =>
        v.assignment.crew.find((/** @type {any} */ one) => one.officer === id) ?? { officer: id, name: id },
    )
    .sort(
      (/** @type {any} */ a, /** @type {any} */ b) =>
        Number(b.officer === v.view.leader) - Number(a.officer === v.view.leader),
    );

/** Items of the visit with their names. @param {Visit} v @returns {any[]} */
export const itemsOf = (v) => v.template?.items ?? [];

/** @param {Visit} v @param {string} target `visit`, `answer:<point>`, `finding:<row>` */
export const photosOf = (v, target) => v.media.filter((photo) => photo.for === target);

/** What is said of a finding besides its text. @param {any} fields @returns {string[]} */
export const factsOf = ({ severity, measure, due, place, basis }) =>
  [
    severity && word("severity", severity),
    measure && word("measure", measure),
    due && t("finding.before", { day: day(due) }),
    place,
    basis,
  ].filter(Boolean);

/** One line for each thing to do: open points of an item and versions are counted together.
 * @param {{code: string, detail: any}[]} missing */
export function gathered(missing) {
  /** @type {{code: string, detail: any, n: number}[]} */
  const lines = [];
  for (const { code, detail } of missing) {
    const together = ["unanswered_point", "conflict", "media", "result_mismatch"].includes(code);
    const same = together && lines.find((line) => line.code === code && line.detail?.item === detail?.item);
    if (same) same.n++;
    else lines.push({ code, detail: detail ?? {}, n: 1 });
  }
  return lines;
}

/** Why a type is out of question. @param {Visit} v @param {any} d detail of a `result_mismatch` */
export function whyWords(v, d) {
  if (d.finding) return t("why.finding", { n: findingsOf(v).find(({ row }) => row === d.finding)?.n ?? "" });
  if (d.point) return t("why.point", { no: pointOf(v, d.point)?.no ?? "" });
  const item = itemsOf(v).find(({ id }) => id === d.item);
  return item ? t(`why.judged.${item.judged}`) : t("why.main");
}

const PLACES = {
  conflict: "/conflicts",
  unanswered_point: "/checklist",
  finding: "/findings",
  order_deadline: "/findings",
  evidence: "/evidence",
  attempts: "/result?sheet=Attempts",
  circumstance: "/result?sheet=Circumstances",
  followup: "/result?sheet=Followup",
  interest_undeclared: "?step=interest",
  crew: "/group",
  signature_image: "/group",
  media: "/group",
  signature: "/record",
  signature_stale: "/record",
  signature_weak: "/record",
  digest_changed: "/record",
  subject_signature: "/sign?who=subject",
};

/** How a missing thing is said, and where a tap on it leads. @param {Visit} v @param {{code: string, detail: any, n: number}} line */
export function missingWords(v, { code, detail: d, n }) {
  const row = d.finding && findingsOf(v).find(({ row: id }) => id === d.finding);
  const item = itemsOf(v).find(({ id }) => id === d.item);
  const types = v.view.content.visit[`result:${d.item}`] ?? [];
  let to = PLACES[/** @type {keyof typeof PLACES} */ (code)] ?? `/result?item=${encodeURIComponent(d.item ?? "")}`;
  if (d.point && code === "unanswered_point") to += `?point=${encodeURIComponent(d.point)}`;
  if (d.finding && code === "order_deadline") to += `/${encodeURIComponent(d.finding)}`;
  const signing = code.startsWith("signature") || code === "subject_signature";
  return {
    title: t(`missing.${code}`, {
      n: code === "order_deadline" ? (row?.n ?? "") : n,
      item: item?.name ?? t("missing.visit"),
      name: nameOf(v, d.officer ?? d.signer ?? null),
      result: list(types.map((/** @type {string} */ type) => word("result", type))),
      what: code === "result_mismatch" ? whyWords(v, d) : "",
    }),
    href: `/app/visits/${v.id}${to}`,
    icon: code === "conflict" ? "s-conflict" : signing ? "g-none" : "open",
    kind: code === "conflict" ? "conflict" : "calm",
  };
}

/** Phrases that fit a point: its own, then those for any. @param {Visit} v @param {string | undefined} point @returns {string[]} */
export const phrasesFor = (v, point) =>
  (v.assignment.phrases ?? [])
    .filter((/** @type {any} */ phrase) => !phrase.point || phrase.point === point)
    .sort((/** @type {any} */ a, /** @type {any} */ b) => Number(!a.point) - Number(!b.point))
    .map((/** @type {any} */ phrase) => phrase.text);
