// The one thing that screens talk to: what is on this phone, and the acts that change it.

/**
 * @typedef {object} State          a snapshot; a new object whenever anything in it changes
 * @property {boolean} ready        the database is open and the boot is done
 * @property {null|{code: "db_closed"|"db_blocked"|"db_failed"|"db_full", detail: string}} fault  blocking: no input behind it, only export
 * @property {null|{id: string, name: string, username: string, unit: string, roles: string[]}} officer  who is signed in here (offline too)
 * @property {boolean} enrolled     this phone has its key and the server knows it
 * @property {string} rid           this phone's replica id ("" before enrolling)
 * @property {string} phone         the phone's name as enrolled
 * @property {null|"signin"|"update"} paused  sending waits for a new sign-in (401) or for a newer app (426)
 * @property {null|boolean} online  our endpoint answered last time; null: not tried yet
 * @property {boolean} sending      an exchange or an upload is under way
 * @property {string|null} proven_at    when the server last answered (RFC 3339)
 * @property {string|null} lease_until  after it the phone should be taken online again (72 h after proven_at)
 * @property {Tally} tally          over all visits
 * @property {string|null} oldest   `at` of the oldest unsent item; alarm when older than 3 days
 * @property {{usage: number, quota: number, persisted: boolean, photos_left: number}} storage
 * @property {{id: string, name: string, unsent: number}[]} others  other officers' unsent items on this phone
 * @property {{code: string, text: string}[]} notices  of the server, or of re-sending (`asked_anew`: sign again)
 * @property {boolean} update_ready a newer app waits; it starts when all its windows were closed
 * @property {number} revision      grows with every change of any visit; a cheap dependency for effects
 *
 * @typedef {{records: number, records_on_server: number, photos: number, photos_on_server: number, at: string|null}} Tally
 *
 * @typedef {object} Item           one line of the outbox
 * @property {string} id            op id, or the sha256 of a medium
 * @property {string} visit
 * @property {string} kind          an op kind, or "photo", "signature"
 * @property {string[]} path
 * @property {"saved"|"sending"|"server"|"held"|"conflict"|"quarantined"|"late"|"attention"} state
 * @property {string|null} reason   code of the words page (quarantine reason, `fork`, `dead`), null elsewhere
 * @property {number} progress      0..100, of uploads
 * @property {string} at
 * @property {number} bytes
 *
 * @typedef {object} Visit
 * @property {string} id
 * @property {any} assignment       as in the exchange (`subject`, `crew`, `tasks`, `window`, `phrases`, `nonce`, `devices`, `tpl`...)
 * @property {any} template         the checklist document, null while not here
 * @property {any} view             as `GET /api/visits/<id>/view` (folded on this phone, unsent acts included)
 * @property {any} folded           registers with heads, rows, media, withdrawn, conflicts
 * @property {any[]} entries        {n, op, received_at, verdict, reason} in journal order, then this phone's unsent ones
 * @property {Photo[]} media        live photos of the visit, newest last
 * @property {Tally} tally
 * @property {{officer: string, name: string, leader: boolean, last: string|null, ops: number, signature: string|null}[]} board
 * @property {{bytes: number, complete: boolean}} on_phone   complete: assignment, template and ops are here
 * @property {boolean} withdrawn    no longer assigned; what is unsent is still sent
 * @property {boolean} leader       the officer here is today's leader
 * @property {null|"update"|"conflict"|"template"|"final"} no_signing   why signing is off
 *
 * @typedef {object} Photo
 * @property {string} sha256
 * @property {string} for
 * @property {string} caption
 * @property {"camera"|"gallery"} source
 * @property {string|null} taken
 * @property {string} author
 * @property {string} mime
 * @property {number} size
 * @property {"saved"|"sending"|"server"|"elsewhere"|"attention"} state   `elsewhere`: on a colleague's phone, not on the server yet or not looked up
 * @property {number} progress
 */

/** @returns {State} */
export const state = () => {
  throw new Error("boot() first");
};

/** Calls `fn` after each change (batched in a microtask). @param {() => void} fn @returns {() => void} unsubscribe */
export const subscribe = (fn) => () => void fn;

/** Opens the databases, starts the sync triggers. Called once by app.js. @returns {Promise<void>} */
export const boot = async () => {};

/** Signs in; enrols the phone again by itself where it was enrolled before. Rejects with {code}: `signed_out_offline` without network, `wrong_credentials`.
 * @param {string} username @param {string} password @returns {Promise<{enrolled: boolean}>} */
export const signIn = async (username, password) => (void username, void password, { enrolled: false });

/** Makes rid and key, and tells the server. Asks for persistent storage. @param {string} name the phone's name @returns {Promise<void>} */
export const enrol = async (name) => void name;

/** With unsent items it answers {done: false, unsent, confirm}: ask the person to type `confirm` (the number), offer exportQueue(), call again.
 * Nothing is deleted from the phone. @param {string} [typed] @returns {Promise<{done: boolean, unsent: number, confirm: string}>} */
export const signOut = async (typed) => ({ done: false, unsent: 0, confirm: typed ?? "" });

/** Today's list, by window. Cheap: cached until something changed. @returns {Promise<Visit[]>} */
export const visits = async () => [];

/** @param {string} id @returns {Promise<Visit|null>} the same object until something of it changed */
export const visit = async (id) => (void id, null);

/** The base for `act`: what is rendered now. A member on a field of two versions gets only his own head, the leader all of them.
 * Synchronous: call it when the field gains focus (after `visit(id)` was awaited). @param {string} id @param {string[]} path @returns {string[]} op ids */
export const heads = (id, path) => (void id, void path, []);

/** Makes one op; resolves with its id when it is durable on the disk, rejects (and nothing happened) otherwise.
 * @param {string} id visit @param {string} kind `add` `set` `del` `undel` `retract` `confirm` @param {string[]} path @param {any} val
 * @param {string[]} [base] from heads(); left out: heads(id, path) now @param {{geo?: any}} [more] @returns {Promise<string>} op id (of an `add`: the row's id) */
export const act = async (id, kind, path, val, base, more) => (void [id, kind, path, val, base, more], "");

/** Keeps the originals, in order; each is reported as soon as it is durable. Rejects with {code: "no_room"} before anything is written.
 * @param {string} id visit @param {string} target `visit` | `answer:<point>` | `finding:<row>` @param {Iterable<File>} files @param {"camera"|"gallery"} source
 * @param {(done: {sha256: string, n: number, of: number}) => void} [each] @returns {Promise<{sha256: string, op: string}[]>} */
export const addPhotos = async (id, target, files, source, each) => (void [id, target, files, source, each], []);

/** An object URL of a picture (thumb: at once on the phone that took it; a colleague's comes from the server), null when it can't be had now.
 * The URL stays good while the app runs. @param {string} id visit @param {string} sha256 @param {"thumb"|"small"|"original"} [as] @returns {Promise<string|null>} */
export const mediaUrl = async (id, sha256, as) => (void [id, sha256, as], null);

/** What a signature would bind to. @param {string} id @returns {Promise<{digest: string|null, short: string|null}>} */
export const signable = async (id) => (void id, { digest: null, short: null });

/** Signs over exactly the digest that was shown; rejects with {code: "digest_changed"} when the content moved meanwhile.
 * @param {string} id visit @param {string} signer officer id | `subject` | `witness` | `expert:<id>`
 * @param {{png: Blob, strokes: any|null} | {refused: string}} mark @param {string} digest as shown @returns {Promise<string>} op id */
export const captureSignature = async (id, signer, mark, digest) => (void [id, signer, mark, digest], "");

/** Confirms one's weak signature from one's own phone. @param {string} id visit @param {string} signOp @returns {Promise<string>} */
export const confirmSignature = async (id, signOp) => (void [id, signOp], "");

/** What a signature's content and today's differ in: [{path, then, now}]. @param {string} id visit @param {string} signOp @returns {Promise<{path: string[], then: any, now: any}[]>} */
export const changesSince = async (id, signOp) => (void [id, signOp], []);

/** The leader's; may be made offline. @param {string} id visit @returns {Promise<string>} op id */
export const proposeFinal = async (id) => (void id, "");

/** Everything not settled, oldest first; `all`: settled ones too. @param {boolean} [all] @returns {Promise<Item[]>} */
export const outbox = async (all) => (void all, []);

/** The rescue export (a tar: ops.jsonl and media), works signed out and with a failing network. @param {string} [officer] @returns {Promise<Blob>} */
export const exportQueue = async (officer) => (void officer, new Blob());

/** Tries at once, waiting times forgotten. @returns {Promise<void>} when the round has ended, well or not */
export const syncNow = async () => {};

/** Where the phone is, or null; never throws, waits 8 s at most. @returns {Promise<{lat_e7: number, lon_e7: number, acc_cm: number}|null>} */
export const position = async () => null;

/** While true a new app version never takes over, and closing asks. @param {boolean} dirty */
export const setDirty = (dirty) => void dirty;
