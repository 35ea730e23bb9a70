// What a visit looks like now: who is in it, what has effect, which signatures hold, what is missing for final.

import { byText, contentOf, digestOf, fold, shortCode, valueAt } from "./fold.js";
import { canonical, coversId, faultOf, isServer, MALFORMED, opId, splitId } from "./ops.js";
import { materialOf, resultMissing } from "./result.js";

/** @import { Op } from "./ops.js" */
/** @import { Content, Folded, Frame } from "./fold.js" */
/** @import { Item, Missing } from "./result.js" */
/** An op and what the server said of it at intake; `n` and `verdict` are null for what this phone hasn't sent yet, `op`
 * is null where the server keeps a place for what nobody could read.
 * @typedef {{n: number | null, op: Op | null, rid?: string, seq?: number, received_at?: string | null,
 *   verdict: string | null, reason?: string | null}} Entry */
/** What isn't in the ops: the checklist, which media are here, and what only the server knows.
 * @typedef {{items: Item[], here: {has(sha256: string): boolean}, held?: {op: string, waits_for: string}[],
 *   certificates?: Record<string, string>, window?: {from: string, to: string}}} Facts */
/** @typedef {{verdict: string, reason: string | null}} Standing */
/** @typedef {{members: string[], leader: string | null, round: number}} Crew */

// --- who is in it -----------------------------------------------------------------------------------------------------

/** The server's replicas by epoch, each compared within itself. @param {Op} a @param {Op} b */
const byEpoch = (a, b) => Number(a.rid.slice(3) || 1) - Number(b.rid.slice(3) || 1) || a.seq - b.seq;

/** The latest `assign` of each officer. @param {Iterable<Op>} ops @returns {Map<string, Op>} */
function rolesOf(ops) {
  const assigns = [...ops].filter((op) => op.kind === "assign" && isServer(op.rid)).sort(byEpoch);
  return new Map(assigns.map((op) => [op.path[1], op]));
}

/** @param {Iterable<Op>} ops @returns {Crew} */
export function crewOf(ops) {
  const all = [...ops];
  const present = [...rolesOf(all).values()].filter((op) => op.val.role !== "removed").sort(byEpoch);
  const leaders = present.filter((op) => op.val.role === "leader");
  const rounds = all.filter((op) => op.kind === "reopen" && isServer(op.rid)).map((op) => op.val.round);
  return {
    members: present.map((op) => op.path[1]).sort(byText),
    leader: leaders.at(-1)?.path[1] ?? null,
    round: Math.max(1, ...rounds),
  };
}

// --- what has effect --------------------------------------------------------------------------------------------------

/** What stands of a visit's journal: who is in it, whether it is over, and the verdict on each op.
 * @typedef {{standing: Map<string, Standing>, effective: {has(id: string): boolean}, ops: Op[], roles: Map<string, Op>,
 *   crew: Crew, state: "open" | "final" | "void", interests: Op[]}} Scene */

/** Entries in journal order, then what isn't sent. @param {Entry[]} entries */
const inOrder = (entries) => [...entries].sort((a, b) => (a.n ?? Infinity) - (b.n ?? Infinity) || seqOf(a) - seqOf(b));

/** @param {Entry} entry */
const seqOf = ({ op, seq }) => op?.seq ?? seq ?? 0;

/** Declares an interest of his own: from then on nothing of his has effect. @param {Op} op */
const isRecusal = (op) =>
  op.kind === "set" && op.path[1] === `no_interest:${op.author}` && op.path[0] === "visit" && !!op.val?.interest;

/**
 * Reads the verdicts: the server's, as changed by later `rule` and `admit` ops, the last one deciding; and for what this
 * phone hasn't sent yet the verdict that it can foresee, `ok` where nothing speaks against it.
 * @param {Entry[]} entries @param {Frame} frame @param {Facts} facts @returns {Scene}
 */
export function sceneOf(entries, frame, facts) {
  /** @type {Map<string, Standing>} */
  const standing = new Map();
  const ops = [];
  const unsent = [];
  for (const { op, verdict, reason } of inOrder(entries)) {
    if (!op) continue;
    ops.push(op);
    if (verdict === null || verdict === "held") unsent.push(op);
    else standing.set(opId(op), { verdict, reason: reason ?? null });
    if (op.kind === "rule") standing.set(op.path[1], { verdict: op.val.verdict, reason: op.val.reason ?? null });
    if (op.kind === "admit") standing.set(op.path[1], { verdict: "ok", reason: null });
  }
  const effective = { has: (/** @type {string} */ id) => standing.get(id)?.verdict === "ok" };
  const server = ops.filter((op) => isServer(op.rid));
  const crew = crewOf(server);
  const isFinal = server.some((op) => op.kind === "accept_final" && op.val.round === crew.round);
  const scene = {
    standing,
    effective,
    ops,
    roles: rolesOf(server),
    crew,
    state: /** @type {Scene["state"]} */ (
      server.some((op) => op.kind === "void") ? "void" : isFinal ? "final" : "open"
    ),
    interests: ops.filter((op) => isRecusal(op) && effective.has(opId(op))),
  };
  for (const op of unsent) {
    if (standing.has(opId(op))) continue;
    const foreseen = foresee(op, scene, frame, facts);
    standing.set(opId(op), foreseen);
    if (foreseen.verdict === "ok" && isRecusal(op)) scene.interests.push(op);
  }
  return scene;
}

/** Only the leader's word counts there: the result, the sharing out of sections, the proposal. @param {Op} op */
const isLeadersOwn = ({ kind, path }) =>
  kind === "propose_final" ||
  (kind === "set" && path[0] === "visit" && /^(?:result(?:_note|:.*)?|section:.*)$/.test(path[1]));

/** What intake will say, as far as a phone can know. @param {Op} op @param {Scene} scene @param {Frame} frame @param {Facts} facts
 * @returns {Standing} */
function foresee(op, scene, frame, facts) {
  const no = (/** @type {string} */ reason) => ({ verdict: "quarantined", reason });
  for (const officer of op.via ? [op.author, op.via] : [op.author]) {
    const last = scene.roles.get(officer);
    if (!last) return no("not_member");
    if (last.val.role === "removed") return no(coversId(op.ctx, opId(last)) ? "not_member" : "reassigned");
  }
  if (scene.interests.some((it) => it.author === op.author && coversId(op.ctx, opId(it)))) return no("recused");
  if (scene.state === "void") return no("void_visit");
  if (scene.state === "final") return { verdict: "late", reason: null };
  if (op.tpl !== frame.tpl) return no("template_mismatch");
  const validTo = facts.certificates?.[op.author];
  if (validTo && facts.window && validTo < facts.window.from) return no("no_licence_at_time");
  return isLeadersOwn(op) && scene.crew.leader !== op.author ? no("not_leader") : { verdict: "ok", reason: null };
}

/** Ids of the ops that have effect, as far as this phone knows. @param {Entry[]} entries @param {Frame} frame @param {Facts} facts */
export const effectiveOf = (entries, frame, facts) => sceneOf(entries, frame, facts).effective;

/** Something with effect that this app is too old to show: then nobody signs here before it is updated.
 * @param {Entry[]} entries */
export const isTooNew = (entries) =>
  entries.some(
    ({ op, n, verdict }) => op && n !== null && verdict === "ok" && !isServer(op.rid) && faultOf(op) !== null,
  );

// --- content, now and as signed -----------------------------------------------------------------------------------------

/** @typedef {{crew: Crew, folded: Folded, content: any, digest: string | null}} Shown */

/** @param {Iterable<Op>} ops @param {{has(id: string): boolean}} effective @param {Crew} crew @param {Frame} frame
 * @returns {Promise<Shown>} */
async function show(ops, effective, crew, frame) {
  const folded = fold(ops, effective);
  const content = contentOf(folded, frame, crew.members, crew.leader, crew.round);
  return { crew, folded, content, digest: folded.conflicts.length ? null : await digestOf(content) };
}

/** What was shown at a cut. Verdicts play no part there: all that it covers has effect, but for what the signer names in
 * `excluded` and for what can't be understood.
 * @param {Entry[]} entries @param {Frame} frame @param {Record<string, number>} cut @param {string[]} excluded */
export function foldAt(entries, frame, cut, excluded) {
  const without = new Set(excluded);
  const ops = [];
  for (const { op, reason } of entries) {
    if (op && coversId(cut, opId(op)) && !MALFORMED.includes(reason ?? "")) ops.push(op);
  }
  return show(ops, { has: (id) => !without.has(id) }, crewOf(ops.filter((op) => !without.has(opId(op)))), frame);
}

/** The cut of a signature drawn now: all that this phone holds, and what of it has no effect here.
 * @param {Entry[]} entries @param {Scene} scene */
export function cutOf(entries, scene) {
  /** @type {Record<string, number>} */
  const cut = {};
  for (const entry of entries) {
    const rid = entry.op?.rid ?? entry.rid ?? "";
    cut[rid] = Math.max(cut[rid] ?? 0, seqOf(entry));
  }
  const excluded = scene.ops.map(opId).filter((id) => !scene.effective.has(id));
  return { cut, excluded: [...new Set(excluded)].sort(byText) };
}

/** Exactly what differs between two contents, field by field. @param {any} then @param {any} now
 * @returns {{path: string[], then: any, now: any}[]} */
export function changesBetween(then, now) {
  const before = leavesOf(then);
  const after = leavesOf(now);
  return [...new Set([...before.keys(), ...after.keys()])]
    .sort(byText)
    .filter((key) => before.get(key)?.text !== after.get(key)?.text)
    .map((key) => ({
      path: key.split("\n"),
      then: before.get(key)?.val ?? null,
      now: after.get(key)?.val ?? null,
    }));
}

/** What can differ between two contents: fields; rows and media as wholes where they came or went; crew and round.
 * @param {any} shown @returns {Map<string, {val: any, text: string}>} */
function leavesOf({ content, members, leader, round, withdrawn }) {
  const leaves = new Map();
  const put = (/** @type {string[]} */ path, /** @type {any} */ val) =>
    leaves.set(path.join("\n"), { val, text: canonical(val) });
  for (const [group, things] of Object.entries(content)) {
    for (const [name, val] of Object.entries(things)) {
      if (group === "visit") put([group, name], val);
      else for (const [field, inner] of Object.entries(val)) put([group, name, field], inner);
    }
  }
  put(["members"], members);
  put(["leader"], leader);
  put(["round"], round);
  for (const name of withdrawn) put(["withdrawn", name], true);
  return leaves;
}

// --- signatures -------------------------------------------------------------------------------------------------------

/** @typedef {{op: string, signer: string, role: string, state: string, digest: string, changed?: string[][]}} Signature */

/** Whether a mark can count at all, apart from its digest: role, crew and image agree. @param {Op} op @param {Crew} crew */
function isWellDrawn({ author, via, path, val }, { members, leader }) {
  const signer = path[1];
  if (signer === "subject") return val.role === "subject" && (val.image === null) !== (val.refused === null) && !via;
  if (val.image === null || val.refused !== null) return false;
  if (signer === "witness") return val.role === "witness" && !via;
  if (signer.startsWith("expert:")) return val.role === "expert" && !via;
  const isCrew = members.includes(signer) && author === signer && (!via || members.includes(via));
  return isCrew && val.role === (signer === leader ? "leader" : "member");
}

/** @param {Entry[]} entries @param {Frame} frame @param {Facts} facts @param {Scene} scene @param {Shown} now
 * @returns {Promise<Signature[]>} */
async function signaturesOf(entries, frame, facts, scene, now) {
  const { cut: known } = cutOf(entries, scene);
  const confirmed = new Set(
    scene.ops
      .filter((op) => op.kind === "confirm" && scene.effective.has(opId(op)))
      .map((op) => `${op.val.op} ${op.author}`),
  );
  const signs = scene.ops.filter((op) => op.kind === "sign" && scene.effective.has(opId(op)));
  return Promise.all(
    signs.map(async (op) => {
      const { digest, role, cut, excluded, image } = op.val;
      const signature = { op: opId(op), signer: op.path[1], role, digest };
      const as = (/** @type {string} */ state) => ({ ...signature, state });
      if (Object.entries(cut).some(([rid, seq]) => (known[rid] ?? 0) < seq)) return as("awaiting_ops");
      const then = await foldAt(entries, frame, cut, excluded);
      if (then.digest !== digest || !isWellDrawn(op, then.crew)) return as("invalid");
      if (digest !== now.digest) {
        return { ...as("stale"), changed: changesBetween(then.content, now.content).map(({ path }) => path) };
      }
      if (image && !facts.here.has(image)) return as("awaiting_image");
      return as(op.via && !confirmed.has(`${opId(op)} ${op.author}`) ? "weak" : "current");
    }),
  );
}

// --- what is missing --------------------------------------------------------------------------------------------------

/** In the order in which they are listed. */
const CODES = [
  ..."conflict unanswered_point finding evidence attempts order_deadline circumstance followup basis result".split(" "),
  ..."result_mismatch signature signature_stale signature_weak signature_image subject_signature".split(" "),
  ..."digest_changed interest_undeclared crew".split(" "),
];

/** An officer's best signature decides what is said of him. */
const SIGNED = ["current", "weak", "awaiting_image", "stale"];
const UNSIGNED = ["", "signature_weak", "signature_image", "signature_stale", "signature"];

/** @param {Crew} crew @param {Signature[]} signatures @returns {Missing[]} */
function unsigned({ members }, signatures) {
  return members.flatMap((officer) => {
    const states = signatures.filter(({ signer }) => signer === officer).map(({ state }) => SIGNED.indexOf(state));
    const best = Math.min(...states.map((rank) => (rank < 0 ? SIGNED.length : rank)), SIGNED.length);
    return best ? [{ code: UNSIGNED[best], detail: { officer } }] : [];
  });
}

/** The subject's representative signs, or his refusal is witnessed; not where nobody could be met (R23.2).
 * @param {Content} content @param {Signature[]} signatures @param {Scene} scene @returns {Missing[]} */
function subjectMissing({ visit }, signatures, scene) {
  const wasRefused = visit.noncooperation?.circumstances?.includes?.("entry_refused");
  if (visit.result === "unreachable" || (visit.result === "serious_noncooperation" && wasRefused)) return [];
  const current = signatures.filter(({ state }) => state === "current");
  const isMet = current
    .filter(({ signer }) => signer === "subject")
    .map(({ op }) => /** @type {Op} */ (scene.ops.find((it) => opId(it) === op)))
    .some(
      ({ val, author }) =>
        val.refused === null ||
        current.some(
          ({ signer }) => signer === "witness" || (signer !== author && scene.crew.members.includes(signer)),
        ),
    );
  return isMet ? [] : [{ code: "subject_signature", detail: {} }];
}

/** Members may be missing, have an interest, or not have said whether they have one (R18.2, R20.3).
 * @param {Crew} crew @param {Content} content @returns {Missing[]} */
function crewMissing({ members, leader }, { visit }) {
  const said = (/** @type {string} */ officer) => visit[`no_interest:${officer}`];
  const [undeclared, recused] = [members.filter((it) => !said(it)), members.filter((it) => said(it)?.interest)];
  return [
    ...undeclared.map((officer) => ({ code: "interest_undeclared", detail: { officer } })),
    ...recused.map((officer) => ({ code: "crew", detail: { officer } })),
    ...(leader === null || members.length - recused.length < 2 ? [{ code: "crew", detail: {} }] : []),
  ];
}

/** @param {Missing[]} found */
function sorted(found) {
  const rank = (/** @type {Missing} */ { code, detail }) =>
    String(CODES.indexOf(code)).padStart(2, "0") + canonical(detail);
  return [...new Map(found.map((it) => [rank(it), it]))].sort(([a], [b]) => byText(a, b)).map(([, it]) => it);
}

// --- the view ---------------------------------------------------------------------------------------------------------

/** @param {Scene} scene @param {Content} content @param {boolean} isProposed */
function phaseOf({ state, ops, effective, crew }, { visit }, isProposed) {
  if (state !== "open") return state;
  if (isProposed) return "final_pending";
  if (!ops.some((op) => !isServer(op.rid) && effective.has(opId(op)))) return "dispatched";
  const free = crew.members.filter((officer) => !visit[`no_interest:${officer}`]?.interest);
  return free.length < 2 || crew.leader === null ? "interrupted" : "started";
}

/**
 * The visit as `GET /api/visits/<id>/view` gives it, from what is on this phone; the same entries give the same bytes.
 * @param {Entry[]} entries @param {Frame} frame @param {Facts} facts
 */
export async function viewOf(entries, frame, facts) {
  const scene = sceneOf(entries, frame, facts);
  const { crew, ops, standing, effective } = scene;
  const now = await show(ops, effective, crew, frame);
  const { content } = now.content;
  const signatures = await signaturesOf(entries, frame, facts, scene, now);
  const proposals = ops.filter(
    (op) => op.kind === "propose_final" && effective.has(opId(op)) && op.author === crew.leader,
  );
  const isOpen = scene.state === "open";
  return {
    visit: frame.visit,
    head: Math.max(0, ...entries.map(({ n }) => n ?? 0)),
    round: crew.round,
    phase: phaseOf(
      scene,
      content,
      proposals.some((op) => op.val.digest === now.digest),
    ),
    content,
    withdrawn: now.folded.withdrawn,
    digest: now.digest,
    short: shortCode(now.digest),
    conflicts: now.folded.conflicts.map(({ path, heads }) => ({
      path,
      heads: heads.map((id) => headOf(id, path, ops)),
    })),
    signatures,
    quarantined: withVerdict(standing, "quarantined").map((op) => ({ op, reason: standing.get(op)?.reason })),
    late: withVerdict(standing, "late"),
    held: facts.held ?? [],
    flags: flagsOf(scene),
    missing: isOpen ? sorted(allMissing(scene, now, signatures, proposals, facts)) : [],
    members: crew.members,
    leader: crew.leader,
  };
}

/** @param {Map<string, Standing>} standing @param {string} verdict */
const withVerdict = (standing, verdict) =>
  [...standing.keys()].filter((id) => standing.get(id)?.verdict === verdict).sort(byText);

/** @param {string} id @param {string[]} path @param {Op[]} ops */
function headOf(id, path, ops) {
  const op = /** @type {Op} */ (ops.find((it) => opId(it) === id));
  return { op: id, author: op.author, rid: op.rid, at: op.at, val: valueAt(op, path) };
}

/** What is noted beside ops that have effect: intake's flags, and what was made by someone who then stepped back.
 * @param {Scene} scene */
function flagsOf({ standing, ops, interests, effective }) {
  const recused = new Set(interests.map((op) => op.author));
  const flags = ops.flatMap((op) => {
    const id = opId(op);
    if (!effective.has(id) || isServer(op.rid)) return [];
    const { reason } = /** @type {Standing} */ (standing.get(id));
    return [reason, recused.has(op.author) && !isRecusal(op) && "by_recused"]
      .filter((flag) => typeof flag === "string")
      .map((flag) => ({ op: id, flag }));
  });
  return flags.sort((a, b) => byText(a.op, b.op) || byText(a.flag, b.flag));
}

/** @param {Scene} scene @param {Shown} now @param {Signature[]} signatures @param {Op[]} proposals @param {Facts} facts */
function allMissing(scene, now, signatures, proposals, facts) {
  const { content } = now.content;
  return [
    ...now.folded.conflicts.map(({ path }) => ({ code: "conflict", detail: { path } })),
    ...resultMissing(materialOf(now.folded, content), facts.items),
    ...unsigned(scene.crew, signatures),
    ...subjectMissing(content, signatures, scene),
    ...proposals
      .filter((op) => op.val.digest !== now.digest)
      .map((op) => ({ code: "digest_changed", detail: { op: opId(op) } })),
    ...crewMissing(scene.crew, content),
  ];
}
