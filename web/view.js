// The visit as everybody is shown it: content, signatures, phase, flags, and what is missing for final.

import { byText, headOpsAt, shortCode, valueAt } from "./fold.js";
import { canonical, covers, isServer, opId } from "./ops.js";
import { materialOf, resultMissing } from "./result.js";
import { show, signaturesOf } from "./signed.js";
import { sceneOf } from "./standing.js";

/**
 * The visit as `GET /api/visits/<id>/view` gives it, from what is on this phone; the same entries give the same bytes.
 * @param {Entry[]} entries @param {Frame} frame @param {Facts} facts
 */
export async function viewOf(entries, frame, facts) {
  const scene = sceneOf(entries, frame, facts);
  const now = await show(scene.ops, frame);
  const { folded } = now;
  const signatures = await signaturesOf(entries, frame, facts.here, scene, now);
  const hands = handsOf(scene, folded);
  const proposals = proposalsOf(scene);
  const withVerdict = (/** @type {string} */ verdict) =>
    [...scene.standing].filter(([, it]) => it.verdict === verdict).sort(([a], [b]) => byText(a, b));
  return {
    visit: frame.visit,
    head: Math.max(0, ...entries.map(({ n }) => n ?? 0)),
    round: scene.crew.round,
    phase: phaseOf(scene, hands, proposals.some(isOver(now))),
    content: now.content.content,
    withdrawn: folded.withdrawn,
    digest: now.digest,
    short: shortCode(now.digest),
    conflicts: folded.conflicts.map(({ path }) => ({ path, heads: headOpsAt(folded, path).map(headOf(path)) })),
    signatures,
    quarantined: withVerdict("quarantined").map(([op, { reason }]) => ({ op, reason })),
    late: withVerdict("late").map(([op]) => op),
    held: [...(facts.held ?? [])].sort((a, b) => byText(a.op, b.op)),
    flags: flagsOf(entries, scene, hands, facts),
    missing: sorted(missingOf(scene, now, signatures, hands, proposals, facts)),
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

/** @param {Scene} scene @param {Folded} folded @returns {Hands} */
function handsOf({ crew: { members, leader } }, folded) {
  const said = (/** @type {string} */ officer) =>
    headOpsAt(folded, ["visit", `no_interest:${officer}`]).map(({ val }) => val?.interest);
  const recused = members.filter((officer) => said(officer).includes(true));
  const undeclared = members.filter((officer) => !said(officer).length || said(officer).some((it) => it !== false));
  return { members, leader, recused, undeclared: undeclared.filter((officer) => !recused.includes(officer)) };
}

/** The open proposals: the present leader's, of this round. @param {Scene} scene */
function proposalsOf({ ops, crew: { leader, round } }) {
  const reopens = ops.filter((op) => op.kind === "reopen" && isServer(op.rid) && op.val.round === round);
  return ops.filter(
    ({ kind, author, ctx }) =>
      kind === "propose_final" && author === leader && reopens.every(({ rid, seq }) => covers(ctx, rid, seq)),
  );
}

/** @param {Scene} scene @param {Hands} hands @param {boolean} isProposed */
function phaseOf({ state, ops }, hands, isProposed) {
  if (state !== "open") return state;
  if (isProposed) return "final_pending";
  if (ops.every((op) => isServer(op.rid))) return "dispatched";
  return isShort(hands) ? "interrupted" : "started";
}

/** R18.2: two officers without an interest, one of them the leader. @param {Hands} hands */
const isShort = ({ members, leader, recused }) => leader === null || members.length - recused.length < 2;

/** What is noted beside ops of phones that have effect. Clocks decide nothing, but a clock from the future is told.
 * @param {Entry[]} entries @param {Scene} scene @param {Hands} hands @param {Facts} facts */
function flagsOf(entries, { effective }, { recused }, { certificates, window }) {
  const flags = entries.flatMap(({ op, received_at }) => {
    if (!op || isServer(op.rid) || !effective.has(opId(op))) return [];
    const { author, at, path } = op;
    const lastDay = certificates?.[author];
    const found = [];
    if (received_at && Date.parse(at) - Date.parse(received_at) > 300_000) found.push("clock_ahead");
    if (lastDay && window && window.from <= lastDay && lastDay <= window.to) found.push("licence_expiring");
    if (recused.includes(author) && path[1] !== `no_interest:${author}`) found.push("by_recused");
    return found.map((flag) => ({ op: opId(op), flag }));
  });
  return flags.sort((a, b) => byText(a.op, b.op) || byText(a.flag, b.flag));
}

// --- what is missing --------------------------------------------------------------------------------------------------

/** In the order in which they are listed. */
const CODES =
  "conflict unanswered_point finding evidence attempts order_deadline circumstance followup basis result result_mismatch " +
  "signature signature_stale signature_weak signature_image subject_signature digest_changed interest_undeclared crew media";
/** What is said of an officer by his best signature. */
const UNSIGNED = { awaiting_image: "signature_image", weak: "signature_weak", stale: "signature_stale" };

/** @param {Missing[]} found in whatever order, with repeats */
function sorted(found) {
  const rank = (/** @type {Missing} */ { code, detail }) =>
    String(CODES.indexOf(`${code} `)).padStart(3, "0") + canonical(detail);
  return [...new Map(found.map((it) => [rank(it), it]))].sort(([a], [b]) => byText(a, b)).map(([, it]) => it);
}

/** @param {Scene} scene @param {Shown} now @param {Signature[]} signatures @param {Hands} hands @param {Op[]} proposals
 * @param {Facts} facts @returns {Missing[]} */
function missingOf({ state, effective, ops }, now, signatures, hands, proposals, { items, here }) {
  const { content, media } = now.content;
  if (state === "void") return [];
  if (state === "final") {
    const lacking = media.filter((/** @type {any} */ { sha256 }) => !here.has(sha256));
    return lacking.map((/** @type {any} */ { sha256 }) => ({ code: "media", detail: { sha256 } }));
  }
  const named = (/** @type {string} */ code, /** @type {Record<string, any>[]} */ details) =>
    details.map((detail) => ({ code, detail }));
  const [over, others] = [proposals.filter(isOver(now)), proposals.filter((op) => !isOver(now)(op))];
  // prettier-ignore
  return [
    ...named("conflict", now.folded.conflicts.map(({ path }) => ({ path }))),
    ...resultMissing(materialOf(now.folded, content), items),
    ...named("result_mismatch", over.filter(({ val }) => val.result !== content.visit.result).map((op) => ({ op: opId(op) }))),
    ...unsigned(hands, signatures),
    ...named("subject_signature", needsSubject(content.visit) && !isSubjectMet(signatures, hands, ops) ? [{}] : []),
    ...named("digest_changed", over.length ? [] : others.map((op) => ({ op: opId(op) }))),
    ...named("interest_undeclared", hands.undeclared.map((officer) => ({ officer }))),
    ...named("crew", isShort(hands) || hands.recused.length ? [{}] : []),
  ];
}

/** Every current member signs (R23.2). @param {Hands} hands @param {Signature[]} signatures @returns {Missing[]} */
function unsigned({ members }, signatures) {
  return members.flatMap((officer) => {
    const states = signatures.filter((it) => it.signer === officer && isOfCrew(it)).map(({ state }) => state);
    if (states.includes("current")) return [];
    const best = Object.entries(UNSIGNED).find(([state]) => states.includes(state));
    return [{ code: best?.[1] ?? "signature", detail: { officer } }];
  });
}

/** @param {Signature} signature */
const isOfCrew = ({ role }) => role === "leader" || role === "member";

/** Nobody of the subject signs where nobody could be met. @param {Record<string, any>} visit */
function needsSubject({ result, noncooperation }) {
  if (result !== "serious_noncooperation") return result !== "unreachable";
  const why = noncooperation?.circumstances;
  return !(Array.isArray(why) && why.includes("entry_refused"));
}

/** The subject's representative signs, or his refusal is borne out by a witness or by another member.
 * @param {Signature[]} signatures @param {Hands} hands @param {Op[]} ops */
function isSubjectMet(signatures, { members }, ops) {
  const current = signatures.filter(({ state }) => state === "current");
  return current.some(({ op, role }) => {
    if (role !== "subject") return false;
    const { val, author } = /** @type {Op} */ (ops.find((it) => opId(it) === op));
    const bearsOut = (/** @type {Signature} */ it) =>
      it.role === "witness" || (isOfCrew(it) && it.signer !== author && members.includes(it.signer));
    return val.image !== null || current.some(bearsOut);
  });
}
