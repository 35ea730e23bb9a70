// What has effect in a visit and who is in it: the server's verdicts, and those that a phone can foresee for its own ops.

import { byText } from "./fold.js";
import { coversId, faultOf, isServer, opId } from "./ops.js";

/** The server's replicas by epoch, each compared within itself. @param {Op} a @param {Op} b */
const byEpoch = (a, b) => Number(a.rid.slice(3) || 1) - Number(b.rid.slice(3) || 1) || a.seq - b.seq;

/** The latest `assign` of each officer, in their order. @param {Op[]} ops */
function rolesOf(ops) {
  const assigns = ops.filter((op) => op.kind === "assign" && isServer(op.rid)).sort(byEpoch);
  return [...new Map(assigns.map((op) => [op.path[1], op])).values()].sort(byEpoch);
}

/** @param {Op[]} ops those that have effect @returns {Crew} */
export function crewOf(ops) {
  const present = rolesOf(ops).filter((op) => op.val.role !== "removed");
  const rounds = ops.filter((op) => op.kind === "reopen" && isServer(op.rid)).map((op) => op.val.round);
  return {
    members: present.map((op) => op.path[1]).sort(byText),
    leader: present.filter((op) => op.val.role === "leader").at(-1)?.path[1] ?? null,
    round: Math.max(1, ...rounds),
  };
}

/** @param {Entry} entry @returns {[rid: string, seq: number]} */
const placeOf = ({ op, rid = "", seq = 0 }) => [op?.rid ?? rid, op?.seq ?? seq];

/**
 * Reads the verdicts: the server's, as changed by later `rule` and `admit` ops, the last one deciding; and for what this
 * phone hasn't sent yet the one that it can foresee.
 * @param {Entry[]} entries @param {Frame} frame @param {Facts} facts @returns {Scene}
 */
export function sceneOf(entries, frame, facts) {
  /** @type {Scene["standing"]} */
  const standing = new Map();
  const effective = { has: (/** @type {string} */ id) => standing.get(id)?.verdict === "ok" };
  const sent = entries.filter(({ verdict }) => verdict !== null && verdict !== "held");
  for (const entry of sent.sort((a, b) => Number(a.n) - Number(b.n))) {
    const { op, verdict, reason = null } = entry;
    standing.set(placeOf(entry).join(":"), { verdict: String(verdict), reason });
    if (!op || !isServer(op.rid) || verdict !== "ok") continue;
    if (op.kind === "rule") standing.set(op.path[1], { verdict: op.val.verdict, reason: op.val.reason });
    if (op.kind === "admit") standing.set(op.path[1], { verdict: "ok", reason: null });
  }
  const ops = sent.flatMap(({ op }) => (op && effective.has(opId(op)) ? [op] : []));
  const scene = { standing, effective, ops, crew: crewOf(ops), state: stateOf(ops) };
  const unsent = entries.flatMap(({ op }) => (op && !standing.has(opId(op)) ? [op] : []));
  for (const op of unsent.sort((a, b) => a.seq - b.seq)) {
    standing.set(opId(op), foresee(op, scene, frame, facts));
    if (effective.has(opId(op))) ops.push(op);
  }
  return scene;
}

/** @param {Op[]} ops @returns {Scene["state"]} */
function stateOf(ops) {
  const server = ops.filter((op) => isServer(op.rid));
  if (server.some((op) => op.kind === "void")) return "void";
  const { round } = crewOf(server);
  return server.some((op) => op.kind === "accept_final" && op.val.round === round) ? "final" : "open";
}

/** Only the leader's word counts there: the result, the sharing out of sections, the proposal. @param {Op} op */
const isLeadersOwn = ({ kind, path: [group, name] }) =>
  kind === "propose_final" ||
  (kind === "set" && group === "visit" && /^(result$|result_note$|result:|section:)/.test(name));

/** An officer who declares an interest of his own: what he makes from then on has no effect. @param {Op} op */
export const isRecusal = ({ kind, path: [group, name], val, author }) =>
  kind === "set" && group === "visit" && name === `no_interest:${author}` && val?.interest === true;

/** What intake will say, as far as a phone can know.
 * @param {Op} op @param {Scene} scene @param {Frame} frame @param {Facts} facts @returns {Standing} */
function foresee(op, { ops, crew, state }, frame, { certificates, window }) {
  const no = (/** @type {string} */ reason) => ({ verdict: "quarantined", reason });
  for (const officer of [op.author, op.via ?? op.author]) {
    const last = rolesOf(ops).find((it) => it.path[1] === officer);
    if (!last) return no("not_member");
    if (last.val.role === "removed") return no(coversId(op.ctx, opId(last)) ? "not_member" : "reassigned");
  }
  if (ops.some((it) => it.author === op.author && isRecusal(it) && coversId(op.ctx, opId(it)))) return no("recused");
  if (state !== "open") return state === "void" ? no("void_visit") : { verdict: "late", reason: null };
  if (op.tpl !== frame.tpl) return no("template_mismatch");
  if (window && (certificates?.[op.author] ?? "9999") < window.from) return no("no_licence_at_time");
  if (!isLeadersOwn(op) || crew.leader === op.author) return { verdict: "ok", reason: null };
  const then = rolesOf(ops.filter((it) => coversId(op.ctx, opId(it)))).find((it) => it.path[1] === op.author);
  return no(then?.val.role === "leader" ? "reassigned" : "not_leader");
}

/** Ids of the ops that have effect. @param {Entry[]} entries @param {Frame} frame @param {Facts} facts */
export const effectiveOf = (entries, frame, facts) => sceneOf(entries, frame, facts).effective;

/** Something with effect that this app is too old to show: then nobody signs here before it is updated.
 * @param {Entry[]} entries */
export const isTooNew = (entries) =>
  entries.some(({ op, n, verdict }) => op && n !== null && verdict === "ok" && faultOf(op) !== null);

/** The cut of a signature drawn now: all that this phone holds, and what of it has no effect here.
 * @param {Entry[]} entries @param {Scene} scene */
export function cutOf(entries, { effective }) {
  /** @type {Ctx} */
  const cut = {};
  for (const entry of entries) {
    const [rid, seq] = placeOf(entry);
    cut[rid] = Math.max(cut[rid] ?? 0, seq);
  }
  const ids = entries.flatMap(({ op }) => (op ? [opId(op)] : []));
  return { cut, excluded: ids.filter((id) => !effective.has(id)).sort(byText) };
}

/** Whether all is here that a cut names. @param {Entry[]} entries @param {Ctx} cut */
export function holds(entries, cut) {
  const here = new Set(entries.map((entry) => placeOf(entry).join(":")));
  return Object.entries(cut).every(([rid, upTo]) => {
    for (let seq = 1; seq <= upTo; seq++) if (!here.has(`${rid}:${seq}`)) return false;
    return true;
  });
}
