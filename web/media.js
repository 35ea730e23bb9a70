// Photographs and signature images: kept whole before anything else, made small for the eye, then sent, small things first.

import { call } from "./api.js";
import { Trouble, localTime, write } from "./db.js";
import { exifOf } from "./exif.js";
import { sha256Hex, splitId } from "./ops.js";
import { alone, append } from "./outbox.js";

/** @import { Db, Medium, Writing } from "./db.js" */
/** @import { Outcome } from "./api.js" */

const CHUNK = 1024 * 1024;
const THUMB = { longest: 256, bytes: 20 * 1024 };
const SMALL = { longest: 1280, bytes: 256 * 1024 };
/** One multipart request carries at most this. */
const PARTS = { count: 20, bytes: 2 * 1024 * 1024 };

// --- keeping ----------------------------------------------------------------------------------------------------------

/** Where the bytes of a medium are: renditions stand beside their original. @param {Pick<Medium, "sha256" | "of" | "role">} medium */
const keyOf = ({ sha256, of, role }) => (of ? `${of}:${role}` : sha256);

/** @param {string} key */
const chunksOf = (key) => IDBKeyRange.bound([key], [key, []]);

/** @param {Writing} tx @param {string} key @param {ArrayBuffer} data */
export async function putChunks(tx, key, data) {
  for (let i = 0; i * CHUNK < data.byteLength || i === 0; i += 1) {
    await tx.objectStore("chunks").put(data.slice(i * CHUNK, (i + 1) * CHUNK), [key, i]);
  }
}

/** @param {Db} db @param {string} key @param {string} mime @returns {Promise<Blob | null>} */
export async function blobOf(db, key, mime) {
  const parts = await db.getAll("chunks", chunksOf(key));
  return parts.length ? new Blob(parts, { type: mime }) : null;
}

/** Whether the bytes can be read back as they were given. @param {Db} db @param {Medium} medium */
const isWhole = async (db, medium) => {
  const blob = await blobOf(db, keyOf(medium), medium.mime);
  return !!blob && (await sha256Hex(await blob.arrayBuffer())) === medium.sha256;
};

/**
 * Keeps what the camera gave, reads it back, and only then attaches it. Killed in between, it is attached at the next start.
 * @param {Db} db @param {string} visit @param {Blob} file @param {{for: string, source: string}} given @param {any} place where the phone is, or null
 * @returns {Promise<{sha256: string, op: string}>}
 */
export async function keepPhoto(db, visit, file, given, place) {
  const data = await file.arrayBuffer();
  const sha256 = await sha256Hex(data);
  const { w, h, taken, geo } = exifOf(data);
  const mime = file.type || "application/octet-stream";
  const when = taken ?? (given.source === "camera" ? localTime(new Date()) : null);
  const attach = { val: { size: data.byteLength, mime, ...given, w, h, taken: when }, geo: geo ?? place };
  const medium = { ...newMedium(visit, sha256, data.byteLength, mime, "original"), attach };
  await write(db, ["media", "chunks"], async (tx) => {
    const known = await tx.objectStore("media").get([visit, sha256]);
    await putChunks(tx, sha256, data);
    await tx.objectStore("media").put({ ...(known ?? medium), attach });
  });
  return { sha256, op: await attachKept(db, medium) };
}

/** @param {string} visit @param {string} sha256 @param {number} size @param {string} mime @param {Medium["role"]} role @param {string} [of] @returns {Medium} */
export const newMedium = (visit, sha256, size, mime, role, of = "") => ({
  visit, sha256, size, mime, role, of, at: localTime(new Date()), todo: 1,
}); // prettier-ignore

/** @param {Db} db @param {Medium} medium */
async function attachKept(db, medium) {
  if (!(await isWhole(db, medium))) throw new Trouble("not_kept", medium.sha256);
  return alone(db, medium.visit, async () => {
    const { officer } = await db.get("kv", "me");
    const { val, geo } = medium.attach;
    const draft = { kind: "attach", path: ["media", medium.sha256], val, author: officer, geo };
    const op = await append(db, medium.visit, draft, {
      stores: ["media"],
      work: async (tx, { rid, seq }) => {
        const { attach: _, ...row } = await tx.objectStore("media").get([medium.visit, medium.sha256]);
        await tx.objectStore("media").put({ ...row, op: `${rid}:${seq}` });
      },
    });
    return `${op.rid}:${op.seq}`;
  });
}

/** What was kept but not yet attached when the app was killed. @param {Db} db */
export async function finishCaptures(db) {
  for (const medium of await db.getAllFromIndex("media", "todo")) if (medium.attach) await attachKept(db, medium);
}

// --- making small -----------------------------------------------------------------------------------------------------

/** Thumbnails and renditions that are still to be made, one picture at a time. @param {Db} db @param {() => void} [each] */
export async function drawSmall(db, each) {
  for (const medium of /** @type {Medium[]} */ (await db.getAllFromIndex("media", "todo"))) {
    if (medium.role !== "original" || medium.drawn) continue;
    const made = await renditionsOf(db, medium).catch(() => []);
    await write(db, ["media", "chunks"], async (tx) => {
      const row = await tx.objectStore("media").get([medium.visit, medium.sha256]);
      await tx.objectStore("media").put({ ...row, drawn: true });
      for (const { small, data } of made) {
        await putChunks(tx, keyOf(small), data);
        await tx.objectStore("media").put(small);
      }
    });
    each?.();
  }
}

/** @param {Db} db @param {Medium} medium */
async function renditionsOf(db, medium) {
  const blob = await blobOf(db, medium.sha256, medium.mime);
  if (!blob || !medium.mime.startsWith("image/")) return [];
  const picture = await createImageBitmap(blob);
  const made = [];
  for (const [role, limit] of /** @type {const} */ ([
    ["thumb", THUMB],
    ["small", SMALL],
  ])) {
    const data = await (await shrink(picture, limit)).arrayBuffer();
    const sha256 = await sha256Hex(data);
    made.push({ small: newMedium(medium.visit, sha256, data.byteLength, "image/jpeg", role, medium.sha256), data });
  }
  picture.close();
  return made;
}

/** @param {ImageBitmap} picture @param {{longest: number, bytes: number}} limit */
async function shrink(picture, { longest, bytes }) {
  const scale = Math.min(1, longest / Math.max(picture.width, picture.height));
  const canvas = new OffscreenCanvas(Math.ceil(picture.width * scale), Math.ceil(picture.height * scale));
  /** @type {OffscreenCanvasRenderingContext2D} */ (canvas.getContext("2d")).drawImage(
    picture, 0, 0, canvas.width, canvas.height,
  ); // prettier-ignore
  for (let quality = 0.75; ; quality -= 0.15) {
    const blob = await canvas.convertToBlob({ type: "image/jpeg", quality });
    if (blob.size <= bytes || quality < 0.2) return blob;
  }
}

// --- sending ----------------------------------------------------------------------------------------------------------

/** How far each upload is, in percent, by sha256. @type {Map<string, number>} */
export const progress = new Map();

/** @param {Db} db @param {Medium} medium @param {Partial<Medium>} change */
const mark = (db, { visit, sha256 }, change) =>
  write(db, ["media"], async (tx) => {
    const row = await tx.objectStore("media").get([visit, sha256]);
    const { todo, ...rest } = { ...row, ...change };
    await tx.objectStore("media").put(todo ? { ...rest, todo } : rest);
  });

const LOST = { uploaded: false, url: null };

/** @param {Medium} medium */
const isNamed = ({ role }) => role === "original" || role === "image" || role === "strokes";

/** After so many failures it needs attention, and waits for the next start or "try again". @param {Medium} medium */
export const isGivenUp = ({ failed = 0 }) => failed >= 5;

/** @param {Db} db */
export const tryAgain = (db) =>
  write(db, ["media"], async (tx) => {
    for await (const cursor of tx.objectStore("media").index("todo").iterate()) {
      const { failed, ...row } = cursor.value;
      if (failed) await cursor.update(row);
    }
  });

/** @param {Db} db @returns {Promise<Medium[]>} not sent yet; what failed before comes last */
async function unsent(db) {
  const rows = /** @type {Medium[]} */ (await db.getAllFromIndex("media", "todo"));
  return rows
    .filter((row) => !row.uploaded && !row.attach && !isGivenUp(row))
    .sort((a, b) => (a.failed ?? 0) - (b.failed ?? 0));
}

/**
 * Sends all that waits, small things first. What can't be taken now is left for the next time, the rest goes on.
 * @param {Db} db @param {() => string | null} token @param {(change?: boolean) => void} each told of progress
 * @returns {Promise<Outcome | null>} the outcome that ended it early: no answer, or a refusal of the session
 */
export async function sendMedia(db, token, each) {
  const tried = new Set();
  for (;;) {
    const waiting = (await unsent(db)).filter(({ visit, sha256 }) => !tried.has(visit + sha256));
    const small = waiting.filter(({ role }) => role !== "original");
    const now = small.length ? partsOf(small) : waiting.slice(0, 1);
    if (!now.length) return null;
    for (const { visit, sha256 } of now) tried.add(visit + sha256);
    const outcome = small.length ? await sendBatch(db, now, token()) : await sendOriginal(db, now[0], token(), each);
    each(true);
    if (outcome.kind === "away" || (outcome.kind === "refused" && [401, 403, 426].includes(outcome.status)))
      return outcome;
  }
}

/** What goes together: of one visit, and by itself what was refused before. @param {Medium[]} small */
function partsOf(small) {
  const [{ visit, failed }] = small;
  if (failed) return small.slice(0, 1);
  let bytes = 0;
  return small
    .filter((medium) => medium.visit === visit && !medium.failed)
    .filter((medium, i) => i < PARTS.count && (bytes += medium.size) <= PARTS.bytes);
}

/** @param {Db} db @param {Medium[]} media @param {string | null} token */
async function sendBatch(db, media, token) {
  const form = new FormData();
  form.append("visit", media[0].visit);
  for (const medium of media) {
    const blob = await blobOf(db, keyOf(medium), medium.mime);
    if (blob) form.append(medium.sha256, blob, medium.of || medium.sha256);
  }
  const outcome = await call("POST", "/api/media/batch", { token, form });
  const stored = new Set(outcome.kind === "ok" ? outcome.data.stored : []);
  for (const medium of media) {
    const failed = (medium.failed ?? 0) + 1;
    if (stored.has(medium.sha256)) await mark(db, medium, { uploaded: true, todo: isNamed(medium) ? 1 : undefined });
    else if (outcome.kind !== "away" && !(outcome.kind === "refused" && outcome.status === 401))
      await mark(db, medium, { failed });
  }
  return outcome;
}

/** @param {Db} db @param {Medium} medium @param {string | null} token @param {(change?: boolean) => void} each @returns {Promise<Outcome>} */
async function sendOriginal(db, medium, token, each) {
  const { sha256, visit, mime } = medium;
  const blob = await blobOf(db, sha256, mime);
  if (!blob) return { kind: "refused", status: 0, code: "not_kept", detail: sha256, retry_after: 0 };
  // Only where there are originals to send is the library needed, and then there is a network.
  const made = await import("./upload.js").catch(() => null);
  if (!made) return { kind: "away", status: 0, code: "upload", retry_after: 0 };
  /** @type {Outcome} */
  const outcome = await new Promise((resolve) => {
    const upload = made.uploadOf(blob, {
      endpoint: new URL("/api/media", location.href).href,
      uploadUrl: medium.url ?? null,
      chunkSize: CHUNK,
      retryDelays: null,
      uploadDataDuringCreation: true,
      storeFingerprintForResuming: false,
      metadata: { sha256, visit, mime },
      headers: token ? { Authorization: `Bearer ${token}` } : {},
      onUploadUrlAvailable: () => void mark(db, medium, { url: upload.url }).catch(() => {}),
      onProgress: (sent, all) => {
        progress.set(sha256, Math.floor((100 * sent) / Math.max(1, all)));
        each();
      },
      onSuccess: () => resolve({ kind: "ok", status: 204, data: {} }),
      onError: (error) => resolve(failure(error)),
    });
    upload.start();
  });
  progress.delete(sha256);
  if (outcome.kind === "ok") await mark(db, medium, { uploaded: true, url: null });
  else if (outcome.kind === "refused" && outcome.status !== 401) {
    await mark(db, medium, { failed: (medium.failed ?? 0) + 1, url: null });
  }
  return outcome;
}

/** A 423 says that somebody else sends the same bytes now. @param {any} error @returns {Outcome} */
function failure(error) {
  const answer = error.originalResponse;
  const status = answer?.getStatus() ?? 0;
  const ours = (answer?.getHeader("Content-Type") ?? "").startsWith("application/problem+json");
  if (ours && status >= 400 && status < 500 && ![408, 423, 429].includes(status)) {
    return { kind: "refused", status, code: "upload", detail: String(error), retry_after: 0 };
  }
  return {
    kind: "away",
    status,
    code: "upload",
    retry_after: 1000 * Number(answer?.getHeader("Retry-After") ?? 0) || 0,
  };
}

// --- proof ------------------------------------------------------------------------------------------------------------

/** Hashes to ask about: those sent first. @param {Db} db */
export async function unproven(db) {
  const rows = /** @type {Medium[]} */ (await db.getAllFromIndex("media", "todo"));
  const named = rows.filter((row) => isNamed(row) && row.op);
  return named.sort((a, b) => Number(!!b.uploaded) - Number(!!a.uploaded)).slice(0, 200);
}

/**
 * The server named what it lacks of what was asked: the rest that we sent, and whose op it has, is there.
 * @param {Writing} tx @param {Medium[]} asked @param {string[]} missing
 */
export async function takeMissing(tx, asked, missing) {
  const lacks = new Set(missing);
  for (const { visit, sha256 } of asked) {
    const { todo, ...row } = await tx.objectStore("media").get([visit, sha256]);
    if (!todo || !row.uploaded) continue;
    if (lacks.has(sha256)) await tx.objectStore("media").put({ ...row, ...LOST, todo, failed: (row.failed ?? 0) + 1 });
    else if (await isStored(tx, visit, row.op)) await tx.objectStore("media").put(row);
  }
}

/** @param {Writing} tx @param {string} visit @param {string} id @returns {Promise<boolean>} */
async function isStored(tx, visit, id) {
  const row = await tx.objectStore("ops").get([visit, ...splitId(id)]);
  return row?.again ? isStored(tx, visit, row.again) : !!row && !row.open;
}
