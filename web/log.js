// The public log as a phone checks it by itself: hashes and proofs of RFC 9162, checkpoints as C2SP signed notes.

import { bytesOf, sha256Hex } from "./ops.js";

const HASH = /^[0-9a-f]{64}$/;
const SIZE = /^(?:0|[1-9]\d{0,15})$/;
const LINE = /^— ([^\s+]{1,200}) ([A-Za-z0-9+/]{8,200}={0,2})$/;
/** SHA-256 of nothing: the root of a log without entries. */
const EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
/** How the log's keys sign: Ed25519 over the text. */
const ED25519 = 1;

/** @param {string} hex */
const fromHex = (hex) => Uint8Array.from(hex.match(/../g) ?? [], (byte) => parseInt(byte, 16));

/** @param {Uint8Array} raw */
const toHex = (raw) => Array.from(raw, (byte) => byte.toString(16).padStart(2, "0")).join("");

/** Null where it is none. @param {string} text */
function fromBase64(text) {
  try {
    return Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
  } catch {
    return null;
  }
}

/** @param {(number | Uint8Array)[]} parts a number is one byte */
const hashOf = (...parts) =>
  sha256Hex(new Uint8Array(parts.flatMap((part) => (typeof part === "number" ? [part] : [...part]))));

/** A leaf's hash in the tree. @param {string} leaf */
export const leafHash = (leaf) => hashOf(0, bytesOf(leaf));

/** @param {string} left @param {string} right */
const nodeHash = (left, right) => hashOf(1, fromHex(left), fromHex(right));

/** What a leaf says of something that isn't published. @param {string} key in hexadecimal digits @param {string} hidden */
export const commitment = (key, hidden) => hashOf(fromHex(key), bytesOf(hidden));

/** @param {string[]} path */
const areHashes = (path) => Array.isArray(path) && path.every((step) => HASH.test(step));

/** Whether a path leads from a leaf's hash to the root (2.1.3.2).
 * @param {string} leaf @param {number} index @param {number} size @param {string[]} path @param {string} root */
export async function isIncluded(leaf, index, size, path, root) {
  if (!(index >= 0 && index < size) || !areHashes(path)) return false;
  let [place, last, found] = [index, size - 1, leaf];
  for (const step of path) {
    if (last === 0) return false;
    if (place % 2 || place === last) {
      found = await nodeHash(step, found);
      while (place % 2 === 0 && place) [place, last] = [place / 2, Math.floor(last / 2)];
    } else found = await nodeHash(found, step);
    [place, last] = [Math.floor(place / 2), Math.floor(last / 2)];
  }
  return last === 0 && found === root;
}

/** Whether a path shows that the first log is how the second began (2.1.4.2). Every log began with nothing.
 * @param {number} first @param {string} firstRoot @param {number} size @param {string} root @param {string[]} path */
export async function isConsistent(first, firstRoot, size, root, path) {
  if (!areHashes(path)) return false;
  if (first === size) return !path.length && firstRoot === root;
  if (first === 0) return !path.length && firstRoot === EMPTY;
  if (!(first > 0 && first < size) || !path.length) return false;
  const steps = Number.isInteger(Math.log2(first)) ? [firstRoot, ...path] : path;
  let [place, last] = [first - 1, size - 1];
  while (place % 2) [place, last] = [Math.floor(place / 2), Math.floor(last / 2)];
  let [old, now] = [steps[0], steps[0]];
  for (const step of steps.slice(1)) {
    if (last === 0) return false;
    if (place % 2 || place === last) {
      [old, now] = [await nodeHash(step, old), await nodeHash(step, now)];
      while (place % 2 === 0 && place) [place, last] = [place / 2, Math.floor(last / 2)];
    } else now = await nodeHash(now, step);
    [place, last] = [Math.floor(place / 2), Math.floor(last / 2)];
  }
  return last === 0 && old === firstRoot && now === root;
}

// --- checkpoints ------------------------------------------------------------------------------------------------------

/** @typedef {{name: string, id: string, raw: Uint8Array<ArrayBuffer>}} Line a signature under a note */
/** @typedef {{text: string, origin: string, size: number, root: string, lines: Line[]}} Checkpoint */

/** A text and the lines under it, nothing of them checked yet; null where it is no note. @param {string} note */
export function readNote(note) {
  const gap = note.lastIndexOf("\n\n");
  if (gap < 0 || !note.endsWith("\n")) return null;
  const lines = [];
  for (const line of note.slice(gap + 2, -1).split("\n")) {
    const [, name, body] = LINE.exec(line) ?? [];
    const raw = fromBase64(body ?? "");
    if (!raw?.length) return null;
    lines.push({ name, id: toHex(raw.subarray(0, 4)), raw: raw.slice(4) });
  }
  return { text: note.slice(0, gap + 1), lines };
}

/** A signed state of the log; null where it is none. @param {string} note @returns {Checkpoint | null} */
export function readCheckpoint(note) {
  const read = readNote(note);
  const [origin, size, root, ...rest] = read?.text.split("\n") ?? [];
  const raw = fromBase64(root ?? "");
  if (!read || !origin || !SIZE.test(size) || raw?.length !== 32 || !rest.length) return null;
  return { ...read, origin, size: Number(size), root: toHex(raw) };
}

/** Whether the key signed the text; null where this browser has no Ed25519.
 * @param {string} key `name+hash+base64` @param {{text: string, lines: Line[]}} note @returns {Promise<boolean | null>} */
export async function isSignedBy(key, { text, lines }) {
  const [, name, id, body] = /^([^\s+]{1,200})\+([0-9a-f]{8})\+(.+)$/.exec(key) ?? [];
  const raw = fromBase64(body ?? "");
  if (!raw || raw.length !== 33 || raw[0] !== ED25519) return false;
  if ((await hashOf(bytesOf(`${name}\n`), raw)).slice(0, 8) !== id) return false;
  const its = lines.filter((line) => line.name === name && line.id === id);
  if (!its.length) return false;
  try {
    const known = await crypto.subtle.importKey("raw", raw.slice(1), "Ed25519", false, ["verify"]);
    for (const line of its) if (await crypto.subtle.verify("Ed25519", known, line.raw, bytesOf(text))) return true;
    return false;
  } catch (error) {
    if (/** @type {any} */ (error)?.name === "NotSupportedError") return null;
    return false;
  }
}

/** Whether the key that a phone knows vouches for another one, by the notes between them; null where it can't be checked.
 * @param {{key: string, note: string | null}[]} keys as the log gives them, the oldest first @param {string} known @param {string} wanted
 * @returns {Promise<boolean | null>} */
export async function vouches(keys, known, wanted) {
  const [from, to] = [known, wanted].map((text) => keys.findIndex(({ key }) => key === text));
  if (from < 0 || to < from) return false;
  let sure = /** @type {true | null} */ (true);
  for (let at = from + 1; at <= to; at++) {
    const { key, note } = keys[at];
    const read = note === null ? null : readNote(note);
    if (read?.text !== `${key.slice(0, key.indexOf("+"))}\nnew key\n${key}\n`) return false;
    for (const by of [keys[at - 1].key, key]) {
      const signed = await isSignedBy(by, read);
      if (signed === false) return false;
      if (signed === null) sure = null;
    }
  }
  return sure;
}
