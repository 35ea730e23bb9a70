// Signing: what is bound to the digest that was shown, and the leader's proposal to make it final.

import { Trouble } from "./db.js";
import { newMedium, putChunks } from "./media.js";
import { opId, sha256Hex } from "./ops.js";
import { alone, append } from "./outbox.js";
import { changesBetween, foldAt } from "./signed.js";
import { cutOf, sceneOf } from "./standing.js";

/** @import { Db } from "./db.js" */
/** @typedef {{entries: Entry[], frame: any, facts: Facts, view: any, tooNew: boolean}} Seen a visit as this phone folds it */

/** @param {Seen} seen @param {string} digest as the signer was shown it */
function standsAt({ view, tooNew }, digest) {
  if (tooNew) throw new Trouble("update");
  if (view.digest === null) throw new Trouble("conflict");
  if (view.digest !== digest) throw new Trouble("digest_changed");
}

/** @param {string} signer @param {any} view */
function roleOf(signer, { leader }) {
  if (signer === "subject" || signer === "witness") return signer;
  if (signer.startsWith("expert:")) return "expert";
  return signer === leader ? "leader" : "member";
}

/** The bytes that stand behind a mark. @param {{png: Blob, strokes: any} | {refused: string}} mark */
async function imagesOf(mark) {
  if (!("png" in mark)) return [];
  const { png, strokes } = mark;
  const written = typeof strokes === "string" ? strokes : JSON.stringify(strokes);
  const parts = [
    { role: /** @type {const} */ ("image"), mime: png.type, data: await png.arrayBuffer() },
    ...(strokes
      ? [
          {
            role: /** @type {const} */ ("strokes"),
            mime: "application/json",
            data: new TextEncoder().encode(written).buffer,
          },
        ]
      : []),
  ];
  return Promise.all(parts.map(async (part) => ({ ...part, sha256: await sha256Hex(part.data) })));
}

/**
 * Image, strokes and the op that binds them to the digest become durable together.
 * @param {Db} db @param {string} visit @param {string} owner whose phone this is @param {string} signer
 * @param {{png: Blob, strokes: any} | {refused: string}} mark @param {string} digest @param {() => Promise<Seen>} look
 */
export async function sign(db, visit, owner, signer, mark, digest, look) {
  const images = await imagesOf(mark);
  const hashOfRole = (/** @type {string} */ role) => images.find((image) => image.role === role)?.sha256 ?? null;
  return alone(db, visit, async () => {
    const seen = await look();
    standsAt(seen, digest);
    const { cut, excluded } = cutOf(seen.entries, sceneOf(seen.entries, seen.frame, seen.facts));
    const role = roleOf(signer, seen.view);
    const refused = "refused" in mark ? mark.refused : null;
    const val = { digest, cut, excluded, role, image: hashOfRole("image"), strokes: hashOfRole("strokes"), refused };
    const isCrew = role === "leader" || role === "member";
    const draft = {
      kind: "sign", path: ["sign", signer], val,
      author: isCrew ? signer : owner, via: isCrew && signer !== owner ? owner : null,
    }; // prettier-ignore
    const op = await append(db, visit, draft, {
      stores: ["media", "chunks"],
      work: async (tx, made) => {
        for (const { sha256, data, mime, role: of } of images) {
          await putChunks(tx, sha256, data);
          await tx.objectStore("media").put({ ...newMedium(visit, sha256, data.byteLength, mime, of), op: opId(made) });
        }
      },
    });
    return opId(op);
  });
}

/** The leader's, over today's digest; only the server makes it final. @param {Db} db @param {string} visit @param {string} owner @param {() => Promise<Seen>} look */
export const propose = (db, visit, owner, look) =>
  alone(db, visit, async () => {
    const seen = await look();
    standsAt(seen, seen.view.digest);
    const { cut } = cutOf(seen.entries, sceneOf(seen.entries, seen.frame, seen.facts));
    const current = seen.view.signatures.filter((/** @type {any} */ it) => it.state === "current");
    const signatures = current.map((/** @type {any} */ it) => it.op);
    const val = { digest: seen.view.digest, cut, result: seen.view.content.visit.result ?? "", signatures };
    return opId(await append(db, visit, { kind: "propose_final", path: ["final"], val, author: owner }));
  });

/** Field by field, what a signature's content and today's differ in. @param {Seen} seen @param {string} id of the `sign` op */
export async function changes({ entries, frame, facts }, id) {
  const signed = entries.find(({ op }) => op && opId(op) === id)?.op;
  if (!signed) return [];
  const { cut, excluded } = cutOf(entries, sceneOf(entries, frame, facts));
  const then = await foldAt(entries, frame, signed.val.cut, signed.val.excluded);
  const now = await foldAt(entries, frame, cut, excluded);
  return changesBetween(then.content, now.content, now.folded.conflicts);
}
