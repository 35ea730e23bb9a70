// The visit as everybody is shown it: content, signatures, phase, flags, and what is missing for final.

import { byText, headOpsAt, pathKey, shortCode, valueAt } from "./fold.js";
import { canonical, covers, isServer, opId } from "./ops.js";
import { materialOf, resultMissing } from "./result.js";
import { show, signaturesOf } from "./signed.js";
import { isRecusal, sceneOf } from "./standing.js";

/**
 * The visit as `GET /api/visits/<id>/view` gives it, from what is on this phone; the same entries give the same bytes.
 * @param {Entry[]} entries @param {Frame} frame @param {Facts} facts
 */
export async function viewOf(entries, frame, facts) {
  const scene = sceneOf(entries, frame, facts);
  const now = await show(scene.ops, frame);
  const { folded } = now;
  const signatures = await signaturesOf(entries, frame, facts.here, scene, now);
  const recused = recusedOf(folded);
  const proposals = proposalsOf(scene);
  const withVerdict = (/** @type {string} */ verdict) =>
    [...scene.standing].filter(([, it]) => it.verdict === verdict).sort(([a], [b]) => byText(a, b));
  return {
    visit: frame.visit,
    head: Math.max(0, ...entries.map(({ n }) => n ?? 0)),
    round: scene.crew.round,
    phase: phaseOf(scene, recused, proposals.some(isOver(now))),
    content: now.content.content,
    withdrawn: folded.withdrawn,
    digest: now.digest,
    short: shortCode(now.digest),
    conflicts: folded.conflicts.map(({ path }) => ({ path, heads: headOpsAt(folded, path).map(headOf(path)) })),
    signatures,
    quarantined: withVerdict("quarantined").map(([op, { reason }]) => ({ op, reason })),
    late: withVerdict("late").map(([op]) => op),
    held: [...(facts.held ?? [])].sort((a, b) => byText(a.op, b.op)),
    flags: flagsOf(entries, scene, recused),
    missing: sorted(missingOf(scene, now, signatures, recused, proposals, facts)),
    members: scene.crew.members,
    leader: scene.crew.leader,
  };
}

/** @param {string[]} path @returns {(op: Op) => {op: string, author: string, rid: string, at: string, val: any}} */
const headOf = (path) => (op) => ({ op: opId(op), author: op.author, rid: op.rid, at: op.at, val: valueAt(op, path) });

/** @param {Shown} now @returns {(proposal: Op) => boolean} */
const isOver =
  ({ digest }) =>
  ({ val }) =>
    val.digest === digest;

/** Officers one of whose own standing words is that they have an interest (R20.3). @param {Folded} folded */
const recusedOf = ({ registers }) =>
  new Set([...registers.values()].flatMap(({ heads }) => heads.filter(isRecusal).map(({ author }) => author)));

/** The open proposals: the present leader's, of this round. @param {Scene} scene */
function proposalsOf({ ops, crew: { leader, round } }) {
  const reopens = ops.filter((op) => op.kind === "reopen" && isServer(op.rid) && op.val.round === round);
  return ops.filter(
    ({ kind, author, ctx }) =>
      kind === "propose_final" && author === leader && reopens.every(({ rid, seq }) => covers(ctx, rid, seq)),
  );
}

/** @param {Scene} scene @param {Set<string>} recused @param {boolean} isProposed */
function phaseOf({ state, ops, crew }, recused, isProposed) {
  if (state !== "open") return state;
  if (isProposed) return "final_pending";
  if (ops.every((op) => isServer(op.rid))) return "dispatched";
  return stands(crew, recused) ? "started" : "interrupted";
}

/** R18.2: a leader, and two members at least without an interest. @param {Crew} crew @param {Set<string>} recused */
const stands = ({ members, leader }, recused) =>
  leader !== null && members.filter((officer) => !recused.has(officer)).length > 1;

/** What intake noted beside ops that have effect, and what was made by someone who then stepped back.
 * @param {Entry[]} entries @param {Scene} scene @param {Set<string>} recused */
function flagsOf(entries, { effective }, recused) {
  const flags = entries.flatMap(({ op, verdict, reason }) => {
    if (!op || isServer(op.rid) || !effective.has(opId(op))) return [];
    const isSteppedBack = recused.has(op.author) && op.path[1] !== `no_interest:${op.author}`;
    return [verdict === "ok" && reason, isSteppedBack && "by_recused"]
      .filter((flag) => !!flag)
      .map((flag) => ({ op: opId(op), flag: String(flag) }));
  });
  return flags.sort((a, b) => byText(a.op, b.op) || byText(a.flag, b.flag));
}

// --- what is missing --------------------------------------------------------------------------------------------------

/** In the order in which they are listed. */
const CODES =
  "conflict unanswered_point finding evidence attempts order_deadline circumstance followup basis result result_mismatch " +
  "signature signature_stale signature_weak signature_image subject_signature digest_changed interest_undeclared crew media";
/** What is said of an officer by his best signature. */
const UNSIGNED = { weak: "signature_weak", awaiting_image: "signature_image", stale: "signature_stale" };

/** @param {Missing[]} found in whatever order, with repeats */
function sorted(found) {
  const rank = (/** @type {Missing} */ { code, detail }) =>
    String(CODES.indexOf(`${code} `)).padStart(3, "0") + canonical(detail);
  return [...new Map(found.map((it) => [rank(it), it]))].sort(([a], [b]) => byText(a, b)).map(([, it]) => it);
}

/** @param {string} code @returns {(detail: Record<string, any>) => Missing} */
const lacks = (code) => (detail) => ({ code, detail });

/** @param {Scene} scene @param {Shown} now @param {Signature[]} signatures @param {Set<string>} recused
 * @param {Op[]} proposals @param {Facts} facts @returns {Missing[]} */
function missingOf({ state, ops, crew }, now, signatures, recused, proposals, { items, here }) {
  const { content, media } = now.content;
  if (state === "void") return [];
  if (state === "final") {
    return media
      .filter((/** @type {any} */ { sha256 }) => !here.has(sha256))
      .map((/** @type {any} */ { sha256 }) => lacks("media")({ sha256 }));
  }
  const over = proposals.filter(isOver(now));
  const wrong = over.filter(({ val }) => val.result !== content.visit.result);
  return [
    ...now.folded.conflicts.map(({ path }) => lacks("conflict")({ path })),
    ...resultMissing(materialOf(now.folded, content, items), items),
    ...wrong.map((op) => lacks("result_mismatch")({ op: opId(op) })),
    ...(over.length ? [] : proposals.map((op) => lacks("digest_changed")({ op: opId(op) }))),
    ...(isSubjectMet(content.visit, signatures, crew, ops) ? [] : [lacks("subject_signature")({})]),
    ...(stands(crew, recused) ? [] : [lacks("crew")({})]),
    ...crew.members.flatMap((officer) => [
      ...unsigned(officer, signatures),
      ...(recused.has(officer) ? [lacks("crew")({ officer })] : undeclared(officer, now.folded)),
    ]),
  ];
}

/** Every current member signs (R23.2). @param {string} officer @param {Signature[]} signatures */
function unsigned(officer, signatures) {
  const states = signatures.filter(({ signer }) => signer === officer).map(({ state }) => state);
  if (states.includes("current")) return [];
  const best = Object.entries(UNSIGNED).find(([state]) => states.includes(state));
  return [lacks(best?.[1] ?? "signature")({ officer })];
}

/** Every member says whether he has an interest. @param {string} officer @param {Folded} folded */
function undeclared(officer, folded) {
  const values = folded.registers.get(pathKey(["visit", `no_interest:${officer}`]))?.values ?? [];
  const isSaid = values.length === 1 && values[0].val?.interest === false;
  return isSaid ? [] : [lacks("interest_undeclared")({ officer })];
}

/** R23.2: the subject's representative signs, or his refusal is borne out by a witness or another member; neither where
 * nobody could be met or nobody was let in.
 * @param {Record<string, any>} visit @param {Signature[]} signatures @param {Crew} crew @param {Op[]} ops */
function isSubjectMet({ result, noncooperation }, signatures, { members }, ops) {
  const why = noncooperation?.circumstances;
  if (result === "unreachable") return true;
  if (result === "serious_noncooperation" && Array.isArray(why) && why.includes("entry_refused")) return true;
  const current = signatures.filter(({ state }) => state === "current");
  return ops.some((op) => {
    if (op.path[1] !== "subject" || !current.some((it) => it.op === opId(op))) return false;
    const others = ["witness", ...members.filter((officer) => officer !== op.author)];
    return op.val.image !== null || current.some(({ signer }) => others.includes(signer));
  });
}
