// Operations on the wire: what they look like, what is wrong with one, their canonical bytes, hash and signature.

import canonicalize from "canonicalize";

const encoder = new TextEncoder();

/** JCS (RFC 8785) of a value. @param {any} value @returns {string} */
export const canonical = (value) => /** @type {string} */ (canonicalize(value));

/** @param {string} text */
export const bytesOf = (text) => encoder.encode(text);

/** @param {ArrayBuffer} buffer */
const hex = (buffer) => Array.from(new Uint8Array(buffer), (byte) => byte.toString(16).padStart(2, "0")).join("");

/** @param {string | BufferSource} data */
export const sha256Hex = async (data) =>
  hex(await crypto.subtle.digest("SHA-256", typeof data === "string" ? bytesOf(data) : data));

/** @param {{rid: string, seq: number}} op */
export const opId = (op) => `${op.rid}:${op.seq}`;

/** @param {string} id @returns {[rid: string, seq: number]} */
export function splitId(id) {
  const at = id.lastIndexOf(":");
  return [id.slice(0, at), Number(id.slice(at + 1))];
}

/** @param {Ctx} ctx @param {string} rid @param {number} seq */
export const covers = (ctx, rid, seq) => ctx[rid] >= seq;

/** @param {Ctx} ctx @param {string} id */
export const coversId = (ctx, id) => covers(ctx, ...splitId(id));

/** The server's own replica, in whatever epoch. @param {string} rid */
export const isServer = (rid) => rid.startsWith("srv");

// --- hash and signature -----------------------------------------------------------------------------------------------

/** What is hashed and signed: the op without its signature. @param {Op} op */
export function signedText(op) {
  const { sig: _, ...rest } = op;
  return canonical(rest);
}

/** @param {Op} op */
export const hashOf = (op) => sha256Hex(signedText(op));

const ECDSA = { name: "ECDSA", hash: "SHA-256" };

/** @param {ArrayBuffer} buffer */
const toBase64url = (buffer) =>
  btoa(String.fromCharCode(...new Uint8Array(buffer)))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replace(/=+$/, "");

/** @param {string} text */
const fromBase64url = (text) =>
  Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (char) => char.charCodeAt(0));

/** @param {Op} op @param {CryptoKey} privateKey @returns {Promise<Op>} */
export async function signOp(op, privateKey) {
  const sig = await crypto.subtle.sign(ECDSA, privateKey, bytesOf(signedText(op)));
  return { ...op, sig: toBase64url(sig) };
}

/** @param {Op} op @param {CryptoKey} publicKey */
export async function verifyOp(op, publicKey) {
  if (!/^[\w-]{86}$/.test(op.sig ?? "")) return false;
  const sig = fromBase64url(/** @type {string} */ (op.sig));
  return crypto.subtle.verify(ECDSA, publicKey, sig, bytesOf(signedText(op)));
}

/** @param {JsonWebKey} jwk */
export const importPublicKey = ({ kty, crv, x, y }) =>
  crypto.subtle.importKey("jwk", { kty, crv, x, y }, { name: "ECDSA", namedCurve: "P-256" }, true, ["verify"]);

/**
 * Makes the next op of a replica. Its ctx is what the replica has received so far, its own earlier ops included.
 * @param {{visit: string, rid: string, seq: number, prev: string, kind: string, path: string[], val?: any,
 *   base?: Iterable<string>, ctx: Ctx, author: string, via?: string | null, at: string,
 *   clk?: Op["clk"], tpl: string, app: string, geo?: Op["geo"]}} given
 * @returns {Op}
 */
export function buildOp(given) {
  const { rid, seq } = given;
  const { [rid]: _, ...ctx } = given.ctx;
  return {
    v: 1,
    visit: given.visit,
    rid,
    seq,
    kind: given.kind,
    path: given.path,
    val: normal(given.val ?? null),
    base: [...new Set(given.base)].sort().slice(0, MAX_BASE),
    ctx: seq > 1 ? { ...ctx, [rid]: seq - 1 } : ctx,
    author: given.author,
    via: given.via ?? null,
    at: given.at,
    clk: given.clk ?? null,
    tpl: given.tpl,
    app: given.app,
    geo: given.geo ?? null,
    prev: given.prev,
  };
}

/** Typed text becomes NFC here, when it is recorded, and never again. @param {any} val @returns {any} */
function normal(val) {
  if (typeof val === "string") return val.normalize("NFC");
  if (Array.isArray(val)) return val.map(normal);
  if (val === null || typeof val !== "object") return val;
  return Object.fromEntries(Object.entries(val).map(([key, inner]) => [key.normalize("NFC"), normal(inner)]));
}

// --- what may stand in an op ------------------------------------------------------------------------------------------

export const PHONE_KINDS = ["add", "set", "del", "undel", "attach", "retract", "sign", "confirm", "propose_final"];
export const SERVER_KINDS = ["assign", "rule", "admit", "accept_final", "reopen", "void"];
/** Reasons of ops that can't be understood: they have no effect anywhere, not even at a signature's cut. */
export const MALFORMED = ["unknown_kind", "server_kind", "bad_path", "bad_value"];
export const MAX_BASE = 16;
const MAX_TEXT = 8 * 1024;
const MAX_DEPTH = 4;

const ID = /^[A-Za-z0-9._-]{1,64}$/;
const OP_ID = /^(?:srv(?:[2-9]|[1-9]\d+)?|[0-9a-f]{32}):[1-9]\d{0,15}$/;
const SHA256 = /^[0-9a-f]{64}$/;
const TIME =
  /^(?!0000)\d{4}-(0[1-9]|1[0-2])-\d\dT([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d+)?(Z|[+-]([01]\d|2[0-3]):[0-5]\d)$/;

/** @typedef {(value: any) => boolean} Check */
const [isText, isBool, isInt, isList, isObject] = /** @type {Check[]} */ ([
  (value) => typeof value === "string",
  (value) => typeof value === "boolean",
  Number.isSafeInteger,
  Array.isArray,
  (value) => value !== null && typeof value === "object" && !Array.isArray(value),
]);
/** @param {Check} check @returns {Check} */
const orNull = (check) => (value) => value === null || check(value);
/** @param {RegExp} shape @returns {Check} */
const like = (shape) => (value) => isText(value) && shape.test(value);
/** @param {string[]} words @returns {Check} */
const oneOf =
  (...words) =>
  (value) =>
    words.includes(value);
/** @param {Check} check @returns {Check} */
const listOf = (check) => (value) => isList(value) && value.every(check);
/** Exactly these members. @param {Record<string, Check>} members @returns {Check} */
const shape = (members) => (value) =>
  isObject(value) &&
  Object.keys(value).length === Object.keys(members).length &&
  Object.entries(members).every(([key, check]) => Object.hasOwn(value, key) && check(value[key]));
/** @type {Check} */
const isCtx = (value) =>
  isObject(value) && Object.entries(value).every(([rid, n]) => isInt(n) && OP_ID.test(`${rid}:${n}`));

/** The JSON kind of each field, by its group. @type {Record<string, Record<string, Check>>} */
// prettier-ignore
const FIELDS = {
  visit: {
    arrived: isObject, left: isObject, attempts: isList, methods: isList, form: isText, noncooperation: isObject,
    certificates_shown: isBool, notice_read: isBool, followup: isObject, attendee: isText, attendee_post: isText,
    summary: isText, result: isText, result_note: isText,
  },
  answer: { verdict: isText, note: isText },
  finding: {
    text: isText, point: isText, basis: isText, place: isText, severity: isText, measure: isText, due: isText,
    crime: isBool,
  },
  media: { caption: isText },
};

/** Fields of `visit` that carry a name of their own: an id, or the words that name a section. @type {Record<string, Check>} */
const NAMED = { no_interest: isObject, result: isList, basis: isText, section: isList };

/** What a field may hold, or undefined where there is no such field. @param {string[]} path */
function fieldAt([group, name, field]) {
  if (group !== "visit") return Object.hasOwn(FIELDS[group], field) ? FIELDS[group][field] : undefined;
  if (Object.hasOwn(FIELDS.visit, name)) return FIELDS.visit[name];
  const at = name.indexOf(":");
  const [kind, id] = [name.slice(0, at), name.slice(at + 1)];
  const isNamed = ID.test(id) || (kind === "section" && id && isString(id));
  return at > 0 && Object.hasOwn(NAMED, kind) && isNamed ? NAMED[kind] : undefined;
}

const FOR = /^(?:visit|answer:[A-Za-z0-9._-]{1,64}|finding:(?:srv\d*|[0-9a-f]{32}):[1-9]\d{0,15})$/;
const SIGNER = /^(?:expert:)?[A-Za-z0-9._-]{1,64}$/;
const maybeReason = orNull(shape({ reason: orNull(isText) }));
const ids = listOf(like(OP_ID));

/** By kind: the shape of its path, and of its value where that doesn't hang on a field.
 * @type {Record<string, [path: Check[], val?: Check]>} */
// prettier-ignore
const SHAPES = {
  add: [[oneOf("finding")]],
  set: [[]],
  del: [[oneOf("finding"), like(OP_ID)], maybeReason],
  undel: [[oneOf("finding"), like(OP_ID)], maybeReason],
  attach: [
    [oneOf("media"), like(SHA256)],
    shape({
      size: (size) => isInt(size) && size >= 0, mime: isText, for: like(FOR), w: orNull(isInt), h: orNull(isInt),
      taken: orNull(isText), source: oneOf("camera", "gallery"),
    }),
  ],
  retract: [[oneOf("media"), like(SHA256)], shape({ reason: isText })],
  sign: [
    [oneOf("sign"), like(SIGNER)],
    shape({
      digest: like(SHA256), cut: isCtx, excluded: ids, role: oneOf("leader", "member", "subject", "witness", "expert"), image: orNull(like(SHA256)),
      strokes: orNull(like(SHA256)), refused: orNull(isText),
    }),
  ],
  confirm: [[oneOf("sign"), like(ID)], shape({ op: like(OP_ID) })],
  propose_final: [[oneOf("final")], shape({ digest: like(SHA256), cut: isCtx, result: isText, signatures: ids })],
};

/** @param {string[]} path @param {Check[]} checks */
const fits = (path, checks) => path.length === checks.length && path.every((part, i) => checks[i](part));

/** Whether a `set` may go there: a known field, of a point that the checklist has, a row or a medium.
 * @param {string[]} path @param {Ids | null} points */
function isField(path, points) {
  const [group, name] = path;
  if (!Object.hasOwn(FIELDS, group) || path.length !== (group === "visit" ? 2 : 3) || !fieldAt(path)) return false;
  if (group === "answer") return ID.test(name) && (!points || points.has(name));
  if (group === "finding") return OP_ID.test(name);
  return group !== "media" || SHA256.test(name);
}

/** @param {string} text */
const isString = (text) => text.isWellFormed() && text.normalize("NFC") === text && bytesOf(text).length <= MAX_TEXT;

/** Strings NFC and short enough, whole numbers, not too deep. @param {any} value @param {number} depth @returns {boolean} */
function isPlain(value, depth = 0) {
  if (value === null || isBool(value)) return true;
  if (typeof value === "number") return isInt(value);
  if (typeof value === "string") return isString(value);
  if (depth === MAX_DEPTH) return false;
  return isList(value)
    ? value.every((/** @type {any} */ inner) => isPlain(inner, depth + 1))
    : Object.entries(value).every(([key, inner]) => isPlain(key) && isPlain(inner, depth + 1));
}

/** The JSON kinds of the envelope. */
// prettier-ignore
const hasForm = shape({
  v: isInt, visit: isText, rid: isText, seq: isInt, kind: isText, path: listOf(isText), val: () => true,
  base: listOf(isText), ctx: (ctx) => isObject(ctx) && Object.values(ctx).every(isInt), author: isText,
  via: orNull(isText), at: isText, clk: orNull(shape({ off_ms: isInt, age_s: isInt })), tpl: isText, app: isText,
  geo: orNull(shape({ lat_e7: isInt, lon_e7: isInt, acc_cm: isInt })), prev: isText, sig: isText,
});

/** What else must hold of all that stands around the value. @param {Op} op */
const isEnvelope = ({ author, via, at, tpl, app, ctx, base, prev }) =>
  ID.test(author) &&
  (via === null || ID.test(via)) &&
  SHA256.test(tpl) &&
  (prev === "" || SHA256.test(prev)) &&
  isMoment(at) &&
  isString(app) &&
  isCtx(ctx) &&
  ids(base);

/** A day and a time that exist. @param {string} at */
function isMoment(at) {
  const [year, month, day] = at.slice(0, 10).split("-").map(Number);
  return TIME.test(at) && day > 0 && new Date(Date.UTC(year, month - 1, day)).getUTCDate() === day;
}

/** What an op names in `base` its own `ctx` covers: nobody replaces what he wasn't shown. @param {Op} op */
function isGrounded({ base, ctx, rid, seq }) {
  const ordered = base.length <= MAX_BASE && base.every((id, i) => !i || base[i - 1] < id);
  return ordered && base.every((id) => coversId(ctx, id)) && (ctx[rid] ?? 0) === seq - 1;
}

/** @param {Op} op */
function isValue({ kind, path, val }) {
  if (kind === "set") return val === null || /** @type {Check} */ (fieldAt(path))(val);
  const check = SHAPES[kind][1];
  if (check) return check(val);
  return isObject(val) && Object.entries(val).every(([field, inner]) => inner === null || FIELDS.finding[field](inner));
}

/**
 * The first reason why an op can't be understood, or null. Only ops of phones are looked into.
 * @param {Op} op
 * @param {Ids | null} [points] those of the checklist, where it is at hand
 */
export function faultOf(op, points = null) {
  const { v, kind, rid } = op;
  if (!isText(kind) || v === undefined || (typeof v === "number" && !isInt(v))) return "bad_value";
  if (v !== 1 || ![...PHONE_KINDS, ...SERVER_KINDS].includes(kind)) return "unknown_kind";
  if (SERVER_KINDS.includes(kind) && !isServer(rid)) return "server_kind";
  if (!hasForm({ sig: "", ...op })) return "bad_value";
  if (SERVER_KINDS.includes(kind)) return null;
  const fields = op.kind === "add" && isObject(op.val) ? Object.keys(op.val) : [];
  const known = op.kind === "set" ? isField(op.path, points) : fits(op.path, SHAPES[op.kind][0]);
  if (!known || !fields.every((field) => Object.hasOwn(FIELDS.finding, field))) return "bad_path";
  return isEnvelope(op) && isPlain(op.val) && isGrounded(op) && isValue(op) ? null : "bad_value";
}
