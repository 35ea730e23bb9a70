// Who is signed in on this phone: session, enrolment, lease; what other officers left unsent is only counted.

import { call } from "./api.js";
import { Trouble, openOfficer, openPhone, write } from "./db.js";
import { emitAgain } from "./outbox.js";

/** @import { Db } from "./db.js" */
/** @import { Device } from "./outbox.js" */
/** @typedef {{id: string, name: string, username: string, unit: string, roles: string[], token: string | null}} Officer */
/** `db` is the officer's own. @typedef {{officer: Officer, db: Db}} Here */

/** A phone that hasn't met the server for so long should be taken online; it never stops recording. */
export const LEASE_MS = 72 * 3600_000;

/** @type {Db} */
let phone;

/** Who was signed in last, with his database open. @returns {Promise<Here | null>} */
export async function resume() {
  phone = await openPhone();
  const officer = await phone.get("officers", (await phone.get("kv", "current")) ?? "");
  return officer ? { officer, db: await openOfficer(officer.id) } : null;
}

/** @param {string} username @param {string} password @returns {Promise<Here>} */
export async function signIn(username, password) {
  const answer = await call("POST", "/api/session", { json: { username, password } });
  if (answer.kind === "away") throw new Trouble(answer.status === 429 ? "too_many" : "no_answer");
  if (answer.kind === "refused") throw new Trouble(answer.status === 401 ? "wrong_credentials" : answer.code);
  const officer = { ...answer.data.officer, username, token: answer.data.token };
  await write(phone, ["officers", "kv"], async (tx) => {
    await tx.objectStore("officers").put(officer);
    await tx.objectStore("kv").put(officer.id, "current");
  });
  const db = await openOfficer(officer.id);
  await write(db, ["kv"], (tx) => tx.objectStore("kv").put({ officer: officer.id }, "me"));
  return { officer, db };
}

/** The token as it stands, another tab may have signed in anew. @param {Here} here */
export async function refresh(here) {
  const known = await phone.get("officers", here.officer.id);
  if (known) here.officer = known;
}

/** Forgets the session, and nothing else. @param {Here} here */
export async function signOut({ officer, db }) {
  await call("DELETE", "/api/session", { token: officer.token });
  await write(phone, ["officers", "kv"], async (tx) => {
    await tx.objectStore("officers").put({ ...officer, token: null });
    await tx.objectStore("kv").delete("current");
  });
  db.close();
}

/** @param {Db} db how many ops, and media that an op names, the server hasn't confirmed */
export const unsentIn = async (db) =>
  (await db.countFromIndex("ops", "open")) +
  (await db.getAllFromIndex("media", "todo")).filter(({ of, uploaded }) => !of && !uploaded).length;

/** @param {string | undefined} but @returns {Promise<{id: string, name: string, unsent: number}[]>} */
export async function others(but) {
  const found = [];
  for (const { id, name } of await phone.getAll("officers")) {
    if (id === but) continue;
    const db = await openOfficer(id);
    const unsent = await unsentIn(db);
    db.close();
    if (unsent) found.push({ id, name, unsent });
  }
  return found;
}

// --- the phone's key --------------------------------------------------------------------------------------------------

/** A replica id with a key of its own, which can't leave this phone. @param {string} name @returns {Promise<Device>} */
async function mint(name) {
  const rid = Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join(
    "",
  );
  const pair = await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, false, ["sign", "verify"]);
  const { kty, crv, x, y } = await crypto.subtle.exportKey("jwk", pair.publicKey);
  return { rid, key: pair.privateKey, jwk: { kty, crv, x, y }, name, enrolled: false };
}

/**
 * Tells the server of this phone's key; it is made at the first time, and the same one ever after.
 * @param {Here} here @param {string} [name] @returns {Promise<import("./api.js").Outcome>}
 */
export async function enrol(here, name) {
  const { db } = here;
  let device = /** @type {Device | undefined} */ (await db.get("kv", "device"));
  if (!device) {
    device = await mint(name ?? "");
    await write(db, ["kv"], (tx) => tx.objectStore("kv").put(device, "device"));
  }
  const answer = await present(here, device);
  if (answer.kind === "refused" && answer.status === 409) return renew(here);
  return answer;
}

/** @param {Here} here @param {Device} device */
async function present({ officer, db }, device) {
  const { rid, name, jwk } = device;
  const answer = await call("POST", "/api/devices", { token: officer.token, json: { rid, name, public_key: jwk } });
  if (answer.kind === "ok") {
    await write(db, ["kv"], async (tx) => {
      await tx.objectStore("kv").put({ ...device, enrolled: true }, "device");
      await tx.objectStore("kv").put(answer.data.server_key, "server_key");
    });
  }
  return answer;
}

/** The replica can't go on (another phone has its id, or a fork): a new id and key, and what wasn't taken is emitted again under them.
 * @param {Here} here */
export async function renew(here) {
  const { name } = await here.db.get("kv", "device");
  const fresh = await mint(name);
  const anew = await emitAgain(here.db, fresh);
  if (anew) await write(here.db, ["kv"], (tx) => tx.objectStore("kv").put(anew, "asked_anew"));
  return present(here, fresh);
}
