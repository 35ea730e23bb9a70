// The ten results of article 24: what each needs, what forbids it, and which may stand together (R24.1 to R27.1).

import { byText, firstOf } from "./fold.js";

/** In the order in which they are offered; nothing is preselected. */
export const TYPES = [
  "serious_noncooperation",
  "info_false",
  "unqualified",
  "ordered_to_correct",
  "pending_followup",
  "info_not_disclosed",
  "unreachable",
  "no_relevant_activity",
  "no_problem_found",
  "qualified",
];
/** Their printed numbers, in the same order. */
export const NUMBERS = [6, 3, 10, 5, 8, 2, 4, 7, 1, 9];
const ALONE = ["unreachable", "no_relevant_activity", "no_problem_found", "qualified"];
const CLEAN = ["no_problem_found", "qualified"];
/** With these the checklist need not be answered (R24.7, R27.1). */
const UNINSPECTED = ["unreachable", "no_relevant_activity", "serious_noncooperation"];
const CIRCUMSTANCES = ["entry_refused", "material_refused", "untrue_material", "other_obstruction"];

/** Types that may stand beside this one as further types of an item. @param {string} type */
export const mayJoin = (type) =>
  ALONE.includes(type) ? [] : TYPES.filter((other) => other !== type && !ALONE.includes(other));

/** @param {any} text */
export const isSaid = (text) => typeof text === "string" && text.trim() !== "";

/** A finding whose point is in no item counts as one without a point.
 * @param {Folded} folded @param {Content} content @param {Item[]} items @returns {Material} */
export function materialOf({ rows, media }, content, items) {
  const known = items.flatMap((item) => item.points.map(({ id }) => id));
  const found = (/** @type {any} */ { point, ...rest } = {}) => (known.includes(point) ? { point, ...rest } : rest);
  const alive = [...rows].filter(([, it]) => it.alive).map(([row]) => row);
  return {
    content,
    findings: new Map(alive.sort(byText).map((row) => [row, found(content.finding[row])])),
    media: Object.keys(content.media).map((sha256) => {
      const { val, geo } = firstOf(/** @type {any} */ (media.get(sha256)));
      return { mime: val.mime, for: val.for, taken: val.taken, geo, caption: content.media[sha256].caption };
    }),
  };
}

/** A finding belongs to the item of its point, without a point to every item. @param {Material} m @param {Item} item */
const findingsOf = (m, item) =>
  [...m.findings].filter(([, { point }]) => !isSaid(point) || item.points.some(({ id }) => id === point));

/** @param {[string, any]} finding */
const placeOf = ([row]) => `finding:${row}`;

/** Evidence is a live medium for the visit, a point of the item or a finding of the item.
 * @param {Material} m @param {Item} item */
function evidenceOf(m, item) {
  const places = ["visit", ...item.points.map(({ id }) => `answer:${id}`), ...findingsOf(m, item).map(placeOf)];
  return m.media.filter((medium) => places.includes(medium.for));
}

/** @typedef {(m: Material, item: Item) => Missing[]} Need */
/** @param {string} code @param {(m: Material, item: Item) => any} isMet @returns {Need} */
const need = (code, isMet) => (m, item) => (isMet(m, item) ? [] : [{ code, detail: { item: item.id } }]);

/** @param {Item["judged"]} judged @returns {Need} */
const judgedBy = (judged) => need("result_mismatch", (_, item) => item.judged === judged);

/** Names the points whose answer is such. @param {string} code @param {(answer: any) => boolean} isSuch @returns {Need} */
const points = (code, isSuch) => (m, item) =>
  item.points
    .filter(({ id }) => isSuch(m.content.answer[id] ?? {}))
    .map(({ id }) => ({ code, detail: { item: item.id, point: id } }));

/** Names the findings of the item that are such. @param {string} code @param {(finding: any) => boolean} isSuch @returns {Need} */
const findings = (code, isSuch) => (m, item) =>
  findingsOf(m, item)
    .filter(([, finding]) => isSuch(finding))
    .map(([row]) => ({ code, detail: { item: item.id, finding: row } }));

/** Types 1 and 9: a failed point or a live finding forbids them. */
const noFail = points("result_mismatch", ({ verdict }) => verdict === "fail");
const noFinding = findings("result_mismatch", () => true);
/** Type 1: what doesn't apply says why. */
const whys = points("unanswered_point", ({ verdict, note }) => verdict === "na" && !isSaid(note));
const aFinding = need("finding", (m, item) => findingsOf(m, item).length);
const someEvidence = need("evidence", (m, item) => evidenceOf(m, item).length);
const aBasis = need("basis", (m, item) => isSaid(m.content.visit[`basis:${item.id}`]));

/** @param {any} measure */
const isOrder = (measure) => measure === "on_spot" || measure === "deadline";

/** What each type needs of an item, and what forbids it. @type {Record<string, Need[]>} */
const NEEDS = {
  no_problem_found: [judgedBy("findings"), noFail, noFinding, whys],
  info_not_disclosed: [need("finding", (m, item) => findingsOf(m, item).some(([, { text }]) => isSaid(text)))],
  info_false: [
    aFinding,
    need("evidence", (m, item) => {
      const places = findingsOf(m, item).map(placeOf);
      return m.media.some((medium) => places.includes(medium.for));
    }),
  ],
  unreachable: [
    need("evidence", (m, item) =>
      evidenceOf(m, item).some(
        ({ mime, taken, geo, caption }) => mime.startsWith("image/") && taken && (geo || isSaid(caption)),
      ),
    ),
    need("attempts", ({ content }) => {
      const attempts = Array.isArray(content.visit.attempts) ? content.visit.attempts : [];
      return new Set(attempts.map((attempt) => attempt?.at).filter(isSaid)).size > 1;
    }),
  ],
  ordered_to_correct: [
    need("finding", (m, item) => findingsOf(m, item).some(([, { measure }]) => isOrder(measure))),
    findings("order_deadline", ({ measure, due }) => measure === "deadline" && !isSaid(due)),
  ],
  serious_noncooperation: [
    need("circumstance", ({ content }) => {
      const { circumstances, text } = content.visit.noncooperation ?? {};
      if (!Array.isArray(circumstances) || !circumstances.length) return false;
      const stopped = !circumstances.includes("other_obstruction") || isSaid(text);
      return stopped && circumstances.every((one) => CIRCUMSTANCES.includes(one));
    }),
    someEvidence,
  ],
  no_relevant_activity: [someEvidence, need("result", ({ content }) => isSaid(content.visit.result_note))],
  pending_followup: [
    aFinding,
    need("followup", ({ content }) => isSaid(content.visit.followup?.owner) && isSaid(content.visit.followup?.due)),
  ],
  qualified: [judgedBy("standard"), aBasis, noFail, noFinding],
  unqualified: [judgedBy("standard"), aBasis, aFinding],
};

/** Points without an answer, where all are to be answered. @param {Material} m @param {Item} item
 * @param {string[]} types @returns {Missing[]} */
const unanswered = (m, item, types) =>
  types.some((type) => UNINSPECTED.includes(type))
    ? []
    : points("unanswered_point", ({ verdict }) => !["pass", "fail", "na"].includes(verdict))(m, item);

/** @param {Material} m @param {Item} item @returns {string[]} */
const typesOf = ({ content }, item) => content.visit[`result:${item.id}`] ?? [];

/** Known types, none twice, and more than one only among those that may stand together. @param {string[]} types */
const standTogether = (types) =>
  types.every((type) => TYPES.includes(type)) &&
  new Set(types).size === types.length &&
  (types.length === 1 || !types.some((type) => ALONE.includes(type)));

/** @param {Material} m @param {Item} item @returns {Missing[]} */
function missingOf(m, item) {
  const types = typesOf(m, item);
  const detail = { item: item.id };
  if (!types.length) return [{ code: "result", detail }, ...unanswered(m, item, types)];
  if (!standTogether(types)) return [{ code: "result_mismatch", detail }, ...unanswered(m, item, types)];
  return [...types.flatMap((type) => NEEDS[type].flatMap((each) => each(m, item))), ...unanswered(m, item, types)];
}

/** The types that R24.4 allows as the visit's main result: main types of its items.
 * @param {string[]} mains the main type of each item @returns {string[]} */
export function mainChoices(mains) {
  return TYPES.filter((type) => {
    if (!mains.includes(type)) return false;
    if (type === "unreachable" || type === "no_relevant_activity") return mains.every((main) => main === type);
    if (mains.includes("unreachable")) return false;
    return !CLEAN.includes(type) || mains.every((main) => [...CLEAN, "no_relevant_activity"].includes(main));
  });
}

/** What the results still lack, item by item and for the visit. @param {Material} m @param {Item[]} items */
export function resultMissing(m, items) {
  const { result } = m.content.visit;
  const found = items.flatMap((item) => missingOf(m, item));
  const mains = items.map((item) => typesOf(m, item)[0]);
  if (!result) found.push({ code: "result", detail: {} });
  else if (!mainChoices(mains).includes(result)) found.push({ code: "result_mismatch", detail: {} });
  return found;
}

/** The ten types for one item, each with what it would still need; `can` is false where something there forbids it.
 * @param {Material} m @param {Item} item */
export const choicesFor = (m, item) =>
  TYPES.map((type, i) => {
    const needs = [...NEEDS[type].flatMap((each) => each(m, item)), ...unanswered(m, item, [type])];
    return { type, n: NUMBERS[i], can: needs.every(({ code }) => code !== "result_mismatch"), needs };
  });

/** What comes by itself after final is proposed: a member confirms, an image arrives; an older proposal gives way. */
const COMING = ["signature_weak", "signature_image", "digest_changed"];

/** What the leader's last step still lacks, photos aside, and whether he may propose: all have drawn their signatures
 * over what stands today, and the rest comes by itself.
 * @param {{missing: Missing[], signatures: {signer: string, state: string}[]}} view */
export function lastStep({ missing, signatures }) {
  const drawn = (/** @type {string} */ state) => signatures.some((it) => it.signer === "subject" && it.state === state);
  const lacking = missing.flatMap((line) => {
    if (line.code === "media" || (line.code === "subject_signature" && drawn("current"))) return [];
    if (line.code !== "subject_signature" || !drawn("awaiting_image")) return [line];
    return [{ code: "signature_image", detail: { officer: "subject" } }];
  });
  return { lacking, may: lacking.every(({ code }) => COMING.includes(code)) };
}
