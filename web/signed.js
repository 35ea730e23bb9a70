// Signatures: the content that each was drawn over, whether it still holds, and exactly what changed since.

import { byPath, byText, contentOf, digestOf, fold } from "./fold.js";
import { canonical, coversId, MALFORMED, opId } from "./ops.js";
import { isSaid } from "./result.js";
import { crewOf, holds } from "./standing.js";

/** @param {Op[]} ops those that have effect @param {Frame} frame @returns {Promise<Shown>} */
export async function show(ops, frame) {
  const crew = crewOf(ops);
  const folded = fold(ops, { has: () => true });
  const content = contentOf(folded, frame, crew.members, crew.leader, crew.round);
  return { crew, folded, content, digest: folded.conflicts.length ? null : await digestOf(content) };
}

/** What was shown at a cut. Verdicts play no part there: all that it covers has effect, but for what the signer names in
 * `excluded` and what can't be understood.
 * @param {Entry[]} entries @param {Frame} frame @param {Ctx} cut @param {string[]} excluded */
export function foldAt(entries, frame, cut, excluded) {
  const without = new Set(excluded);
  const isIn = (/** @type {Op} */ op) => coversId(cut, opId(op)) && !without.has(opId(op));
  const isMalformed = (/** @type {Entry} */ { verdict, reason }) =>
    verdict === "quarantined" && MALFORMED.includes(String(reason));
  return show(
    entries.flatMap((entry) => (entry.op && isIn(entry.op) && !isMalformed(entry) ? [entry.op] : [])),
    frame,
  );
}

/** Exactly what differs: fields; rows and media as wholes where they came or went; and what is said in two ways now.
 * @param {any} then C as signed @param {any} now C of today @param {{path: string[]}[]} conflicts of today
 * @returns {Change[]} */
export function changesBetween(then, now, conflicts = []) {
  /** @type {Map<string, Change>} */
  const changes = new Map();
  const compare = (/** @type {string[]} */ path, /** @type {any} */ before, /** @type {any} */ after) => {
    if (canonical(before ?? null) !== canonical(after ?? null)) note(path, before, after);
  };
  const note = (/** @type {string[]} */ path, before = null, after = null) => {
    const covered = changes.has(path.join("\n")) || (path.length > 2 && changes.has(path.slice(0, 2).join("\n")));
    if (!covered) changes.set(path.join("\n"), { path, then: before, now: after });
  };
  for (const name of ["round", "leader", "members"]) compare([name], then[name], now[name]);
  const [was, is] = [thingsOf(then), thingsOf(now)];
  for (const group of Object.keys(is)) {
    for (const name of keysOf(was[group], is[group])) {
      const [before, after] = [was[group][name], is[group][name]];
      const isField = group === "visit" || ((!before || !after) && group !== "answer");
      if (isField) compare([group, name], before, after);
      else for (const field of keysOf(before, after)) compare([group, name, field], before?.[field], after?.[field]);
    }
  }
  const [gone, back] = [new Set(then.withdrawn), new Set(now.withdrawn)];
  for (const name of [...gone, ...back]) {
    if (gone.has(name) !== back.has(name)) note([name.includes(":") ? "finding" : "media", name]);
  }
  for (const { path } of conflicts) note(path, at(then.content, path));
  return [...changes.values()].sort((a, b) => byPath(a.path, b.path));
}

/** @param {any} content @param {string[]} path */
const at = (content, path) => path.reduce((inner, part) => inner?.[part], content);

/** @param {...(object | undefined)} things */
const keysOf = (...things) => new Set(things.flatMap((it) => Object.keys(it ?? {})));

/** The groups of a content, size and mime beside the other fields of a medium. @param {any} content */
function thingsOf({ content, media }) {
  const whole = media.map((/** @type {any} */ { sha256, size, mime }) => [
    sha256,
    { ...content.media[sha256], size, mime },
  ]);
  return { ...content, media: Object.fromEntries(whole) };
}

/** Whether a mark can count at all, apart from its digest: role, crew and image agree.
 * @param {Op} op @param {Crew} crew */
function isWellDrawn({ author, via, path: [, signer], val }, { members, leader }) {
  const { role, image, refused } = val;
  if (role === "leader" || role === "member") {
    const isOwn = signer === author && signer !== "subject" && signer !== "witness" && members.includes(signer);
    const isLent = via === null || (via !== author && members.includes(via));
    return isOwn && isLent && (role === "leader") === (signer === leader) && image !== null && refused === null;
  }
  const isNamed = role === "expert" ? signer.startsWith("expert:") : signer === role;
  if (!isNamed || via !== null || !members.includes(author)) return false;
  return image === null ? role === "subject" && isSaid(refused) : refused === null;
}

/** The state of every signature that has effect.
 * @param {Entry[]} entries @param {Frame} frame @param {Ids} here @param {Scene} scene
 * @param {Shown} now @returns {Promise<Signature[]>} */
export async function signaturesOf(entries, frame, here, scene, now) {
  const confirms = scene.ops.filter((op) => op.kind === "confirm");
  /** @param {Op} op @returns {Promise<{state: string, changed?: string[][]}>} */
  const stateOf = async (op) => {
    const { digest, cut, excluded, image } = op.val;
    if (!holds(entries, cut)) return { state: "awaiting_ops" };
    const then = await foldAt(entries, frame, cut, excluded);
    if (then.digest !== digest || !isWellDrawn(op, then.crew)) return { state: "invalid" };
    if (digest !== now.digest) {
      const changes = changesBetween(then.content, now.content, now.folded.conflicts);
      return { state: "stale", changed: changes.map(({ path }) => path) };
    }
    if (image !== null && !here.has(image)) return { state: "awaiting_image" };
    return { state: op.via !== null && !confirms.some((it) => isConfirmed(op, it)) ? "weak" : "current" };
  };
  const signs = scene.ops.filter((op) => op.kind === "sign");
  const signatures = signs.map(async (op) => {
    const { val, path } = op;
    return { op: opId(op), signer: path[1], role: val.role, digest: val.digest, ...(await stateOf(op)) };
  });
  return (await Promise.all(signatures)).sort((a, b) => byText(a.op, b.op));
}

/** A mark drawn on another's phone counts once its owner says from his own that he has seen it.
 * @param {Op} sign @param {Op} confirm */
const isConfirmed = (sign, { path, val, author, via, rid, ctx }) =>
  path[1] === sign.path[1] &&
  val.op === opId(sign) &&
  author === path[1] &&
  via === null &&
  rid !== sign.rid &&
  coversId(ctx, opId(sign));
