// A store of the same face as web/store.js, filled with one scene: the screens are looked at and tested with it.
// The visits are folded by the phone's own core from operations made here; nothing is signed, stored or sent.
/* eslint-disable no-unused-vars */

import { fold, headsAt, pathKey } from "/app/fold.js";
import { opId } from "/app/ops.js";
import { sceneOf } from "/app/standing.js";
import { viewOf } from "/app/view.js";

const SCENE = new URLSearchParams(location.search).get("scene") ?? window.name.replace("scene:", "") ?? "full";
const SETTLED = ["ready", "stale", "weak", "recused"].includes(SCENE);
const LI = "o-li", ZHANG = "o-zhang", WANG = "o-wang";
const ZHAO = "o-zhao";
const NAMES = { [LI]: "李承远", [ZHANG]: "张立", [WANG]: "王楠", [ZHAO]: "赵一诺" };
const PHONES = { [LI]: "a".repeat(32), [ZHANG]: "b".repeat(32), [WANG]: "c".repeat(32), [ZHAO]: "d".repeat(32) };
const TPL = "5".repeat(64);
const AT = (minutes) => new Date(Date.parse("2026-11-24T14:03:00+08:00") + minutes * 60000).toISOString();
const SHA = (n) => n.toString(16).padStart(2, "0").repeat(32);
export const IDS = { live: "019a0000-0000-7000-8000-000000000001", next: "019a0000-0000-7000-8000-000000000002", away: "019a0000-0000-7000-8000-000000000003", done: "019a0000-0000-7000-8000-000000000004" };

const me = SCENE === "member" ? ZHANG : LI;
const listeners = new Set();
const visitsById = new Map();
let template = null;

let now = {
  ready: true,
  fault: SCENE === "fault" ? { code: "db_failed", detail: "UnknownError: Internal error" } : null,
  officer: SCENE === "out" ? null : { id: me, name: NAMES[me], username: me.slice(2), unit: "危险化学品股", roles: ["officer"] },
  enrolled: SCENE !== "new",
  rid: PHONES[me],
  phone: `${NAMES[me]}的手机`,
  paused: SCENE === "error" ? "signin" : null,
  online: SCENE === "error" ? false : true,
  sending: false,
  proven_at: SCENE === "empty" || SCENE === "out" ? null : AT(29),
  lease_until: null,
  tally: { records: 0, records_on_server: 0, photos: 0, photos_on_server: 0, at: null },
  oldest: SCENE === "error" ? "2026-11-19T09:12:00+08:00" : null,
  storage: { usage: 214e6, quota: 4e9, persisted: SCENE !== "error", photos_left: SCENE === "error" ? 6 : 1900 },
  others: SCENE === "error" ? [{ id: "o-zhao", name: "赵一诺", unsent: 12 }] : [],
  notices: [],
  update_ready: SCENE === "error",
  revision: 0,
};
if (SCENE === "full" || SCENE === "member") now.tally = { records: 38, records_on_server: 34, photos: 14, photos_on_server: 11, at: AT(29) };
if (SCENE === "error") now.tally = { records: 240, records_on_server: 200, photos: 30, photos_on_server: 4, at: AT(29) };

export const state = () => now;
export const subscribe = (fn) => (listeners.add(fn), () => listeners.delete(fn));
const changed = () => {
  now = { ...now, revision: now.revision + 1 };
  listeners.forEach((fn) => fn());
};

// --- operations of a scene --------------------------------------------------------------------------------------------

/** Writes a visit's ops as phones would: each knows what its author had received. */
class Journal {
  constructor(id) {
    this.id = id;
    this.entries = [];
    this.ctx = {};
  }
  op(rid, author, kind, path, val, { base = [], at = 0, blind = [], ctx, geo = null, sent = true, verdict = "ok", reason = null, via = null } = {}) {
    const seq = (this.ctx[rid] ?? 0) + 1;
    const seen = { ...this.ctx, ...ctx };
    for (const other of blind) delete seen[other];
    if (!ctx) seen[rid] = seq - 1;
    const known = Object.fromEntries(Object.entries(seen).filter(([, n]) => n > 0));
    const op = { v: 1, visit: this.id, rid, seq, kind, path, val, base, ctx: known, author, via, at: AT(at), clk: null, tpl: TPL, app: "0.1.0", geo, prev: "", sig: "" };
    this.ctx[rid] = seq;
    this.entries.push(sent ? { n: this.entries.length + 1, op, received_at: AT(at + 3), verdict, reason } : { n: null, op, received_at: null, verdict: null, reason: null });
    return opId(op);
  }
  by(author, kind, path, val, more) {
    return this.op(PHONES[author], author, kind, path, val, more);
  }
  set(author, path, val, more) {
    return this.by(author, "set", path, val, more);
  }
}

function dispatch(id, officers, leader = LI) {
  const journal = new Journal(id);
  for (const officer of officers) journal.op("srv", "srv", "assign", ["crew", officer], { role: officer === leader ? "leader" : "member", reason: null }, { at: -600 });
  return journal;
}

function declare(journal, officers, at) {
  for (const officer of officers) journal.set(officer, ["visit", `no_interest:${officer}`], { interest: false, reason: "" }, { at });
}

const GEO = { lat_e7: 329712000, lon_e7: 1125287000, acc_cm: 1200 };

function liveVisit() {
  const journal = dispatch(IDS.live, [LI, ZHANG, WANG]);
  const points = template.items.flatMap((item) => item.points);
  declare(journal, [LI, ZHANG, WANG], -4);
  journal.set(LI, ["visit", "certificates_shown"], true, { at: -2 });
  journal.set(LI, ["visit", "arrived"], { at: AT(0), geo: GEO, nonce: "n" }, { at: 0 });
  const open = SETTLED ? 0 : 5;
  points.slice(0, points.length - open).forEach((point, i) => {
    const who = [LI, ZHANG, WANG][i % 3];
    const verdict = [7, 19].includes(i) ? "fail" : i === 11 ? "na" : "pass";
    journal.set(who, ["answer", point.id, "verdict"], verdict, { at: 5 + i / 3 });
    if (verdict === "na") journal.set(who, ["answer", point.id, "note"], "本单位没有剧毒品", { at: 6 + i / 3 });
  });
  for (const [part, who] of sections().map((name, i) => [name, [LI, ZHANG, WANG][i % 3]])) journal.set(LI, ["visit", `section:${part}`], [who], { at: 4 });
  const one = journal.by(ZHANG, "add", ["finding"], { point: points[7].id, severity: "general", text: "乙类库内氧化剂与还原剂同区存放，间距约 0.6 米，共 3 桶，未设隔断。" }, { at: 17 });
  const head = [one];
  journal.set(ZHANG, ["finding", one, "place"], "乙类库 B 区 3 号货位", { at: 18 });
  journal.set(ZHANG, ["finding", one, "measure"], "deadline", { at: 18 });
  if (SCENE !== "undue") journal.set(ZHANG, ["finding", one, "due"], "2026-12-08", { at: 18 });
  const two = journal.by(WANG, "add", ["finding"], { point: points[19].id, text: "3 号库房门口灭火器 2 具压力不足，检修卡停在 2025 年。", measure: "on_spot", severity: "general" }, { at: 20 });
  const gone = journal.by(WANG, "add", ["finding"], { text: "配电箱前堆放纸箱" }, { at: 21 });
  journal.by(LI, "del", ["finding", gone], { reason: "和问题 2 是同一处，重复了" }, { at: 25 });
  photo(journal, 1, `finding:${one}`, "camera", 17, ZHANG);
  photo(journal, 2, `finding:${one}`, "camera", 17, LI);
  photo(journal, 3, `finding:${one}`, "camera", 25, LI);
  photo(journal, 4, `finding:${one}`, "gallery", 27, LI, null);
  photo(journal, 5, "visit", "camera", 1, WANG);
  photo(journal, 6, `answer:${points[12].id}`, "camera", 12, WANG);
  journal.set(LI, ["media", SHA(5), "caption"], "厂区大门", { at: 2 });
  if (!SETTLED) {
    journal.set(ZHANG, ["finding", one, "text"], "乙类库内氧化剂与还原剂同区存放，间距约 0.6 米，共 3 桶，未设隔断。", { at: 19, base: head });
    journal.set(LI, ["finding", one, "severity"], "major", { at: 23, base: head, blind: [PHONES[ZHANG]], ctx: { [PHONES[ZHANG]]: Number(one.split(":")[1]) } });
    journal.set(ZHANG, ["finding", one, "severity"], "general", { at: 24, base: head, ctx: { [PHONES[LI]]: 2 } });
    journal.set(ZHANG, ["finding", two, "basis"], "消防法 第十六条", { at: 24, ctx: { [PHONES[LI]]: 2 } });
    journal.set(LI, ["finding", two, "basis"], "消防法 第十六条第（二）项，GB 50140", { at: 24, ctx: { [PHONES[ZHANG]]: 2 } });
    journal.set(ZHANG, ["visit", "result_note"], "建议责令限期改正", { at: 26, verdict: "quarantined", reason: "not_leader" });
    journal.set(WANG, ["finding", two, "place"], "3 号库房", { at: 28, verdict: "quarantined", reason: "reassigned" });
  }
  const item = template.items[0].id;
  journal.set(LI, ["visit", `result:${item}`], ["ordered_to_correct"], { at: 28 });
  if (SCENE === "weak") journal.set(LI, ["visit", `result:${template.items[1].id}`], ["no_problem_found"], { at: 28 });
  journal.set(LI, ["visit", "result"], "ordered_to_correct", { at: 28 });
  return journal;
}

const sections = () => [...new Set(template.items.flatMap((item) => item.points.map((point) => point.section)))];

function photo(journal, n, target, source, at, author, geo = GEO) {
  journal.by(author, "attach", ["media", SHA(n)], { size: 2.4e6 + n, mime: "image/jpeg", for: target, w: 4000, h: 3000, taken: AT(at), source }, { at, geo });
}

const IMAGE = (officer) => SHA(40 + Object.keys(NAMES).indexOf(officer));

async function sign(journal, officers, more = {}) {
  const { view } = await shape(journal, assignmentOf(journal.id));
  for (const officer of officers) {
    const role = officer === "subject" ? "subject" : officer === LI ? "leader" : "member";
    const author = officer === "subject" ? LI : officer;
    journal.op(more.rid ?? PHONES[author], author, "sign", ["sign", officer], { digest: view.digest, cut: { ...journal.ctx }, excluded: view.quarantined.map(({ op }) => op), role, image: IMAGE(officer), strokes: null, refused: null }, { at: 119, ...more });
  }
}

async function finish(journal) {
  const { view } = await shape(journal, assignmentOf(journal.id));
  journal.by(LI, "propose_final", ["final"], { digest: view.digest, cut: { ...journal.ctx }, result: view.content.visit.result, signatures: [] }, { at: 130 });
  journal.op("srv", "srv", "accept_final", ["final"], { digest: view.digest, round: 1, signatures: [] }, { at: 131 });
}

/** 王楠 recuses himself, 赵一诺 comes for him; one of his findings is struck, one of his answers written anew. */
async function stepBack(journal) {
  const points = template.items.flatMap((item) => item.points);
  journal.set(WANG, ["visit", "attendee"], "何敏", { at: 30 });
  const doubtful = journal.by(WANG, "add", ["finding"], { text: "仓库东门上锁，钥匙不在值班室" }, { at: 31 });
  const over = async (path) => ({ base: headsAt((await shape(journal, assignmentOf(journal.id))).folded, path) });
  const word = ["visit", `no_interest:${WANG}`];
  journal.set(WANG, word, { interest: true, reason: "厂长是我妹夫" }, { at: 32, ...(await over(word)) });
  journal.op("srv", "srv", "assign", ["crew", ZHAO], { role: "member", reason: "recusal：厂长是妹夫" }, { at: 40 });
  journal.op("srv", "srv", "assign", ["crew", WANG], { role: "removed", reason: "recusal：厂长是妹夫" }, { at: 40 });
  declare(journal, [ZHAO], 45);
  journal.by(ZHAO, "del", ["finding", doubtful], { reason: "复查时东门未上锁" }, { at: 50 });
  const path = ["answer", points[2].id, "verdict"];
  journal.set(LI, path, "na", { at: 51, ...(await over(path)) });
  await sign(journal, [ZHAO], { at: 60 });
}

const SUBJECTS = {
  [IDS.live]: ["青溪禾丰精细化工有限公司", "91411303MA46PLC83E", "青溪区工业园纬三路 18 号", "何敏", "厂长", "high", "B"],
  [IDS.next]: ["青溪云坪烟花仓储中心", "91411303MA46Q0D81L", "青溪区云坪镇西沟村", "郑大川", "主任", "high", "C"],
  [IDS.away]: ["青溪长渠化工原料库", "91411303MA46TX1B3J", "青溪区长渠路 6 号", "冯玉", "经理", "medium", "A"],
  [IDS.done]: ["青溪南岭采石场", "91411303MA46R8M70K", "青溪区南岭村", "孙有田", "场长", "medium", "B"],
};

function assignmentOf(id) {
  const [name, uscc, address, representative, post, risk, credit] = SUBJECTS[id];
  const changed = SCENE === "recused" && id === IDS.live;
  const officers = id === IDS.next ? [LI, ZHANG] : changed ? [LI, ZHANG, ZHAO] : [LI, ZHANG, WANG];
  return {
    id,
    tasks: [{ task: "2026-hazchem-4", items: template.items.map((item) => item.id), due_on: "2026-11-30" }],
    round: 1,
    window: id === IDS.away ? { from: "2026-11-25", to: "2026-12-10" } : { from: "2026-11-16", to: "2026-11-30" },
    planned_at: id === IDS.next ? "2026-11-24T16:30:00+08:00" : id === IDS.away ? "2026-11-25T09:00:00+08:00" : undefined,
    subject: { name, uscc, address, representative, post, phone: "0377-0000018", risk, credit, geo: { lat_e7: 329704000, lon_e7: 1125288000 }, earlier: [{ on: "2026-03-12", result: "ordered_to_correct", text: "已整改" }] },
    crew: officers.map((officer, i) => ({ officer, name: NAMES[officer], certificate: `1703010${2 + i}`, certificate_to: "2028-06-30", leader: officer === LI })),
    devices: officers.map((officer) => ({ rid: PHONES[officer], officer, name: `${NAMES[officer]}的手机` })),
    tpl: TPL,
    ...(changed && {
      former: [{ officer: WANG, name: NAMES[WANG], certificate: "17030104" }],
      recusals: [{ officer: LI, kind: "asked", asked_on: "2026-11-24", asker: "何敏", reason: "曾因处罚有过争执", state: "asked", answer: null, decided_at: null }],
    }),
    nonce: "n",
    phrases: [{ point: null, text: "未分区存放" }, { point: null, text: "未设隔断" }, { point: null, text: "间距不足" }, { point: null, text: "标志褪色，看不清品名" }],
  };
}

async function shape(journal, assignment) {
  const entries = [...journal.entries];
  const frame = { visit: journal.id, tpl: TPL, subject: { name: assignment.subject.name, uscc: assignment.subject.uscc } };
  const facts = { items: template.items, here: { has: () => true }, held: [], certificates: {}, window: assignment.window };
  const scene = sceneOf(entries, frame, facts);
  return { entries, view: await viewOf(entries, frame, facts), folded: fold(entries.flatMap(({ op }) => (op ? [op] : [])), scene.effective) };
}

const PHOTO_STATES = { [SHA(1)]: "server", [SHA(2)]: "server", [SHA(3)]: "sending", [SHA(4)]: "saved", [SHA(5)]: "server", [SHA(6)]: "elsewhere" };

async function visitOf(journal, complete = true) {
  const assignment = assignmentOf(journal.id);
  const { entries, view, folded } = await shape(journal, assignment);
  const media = [...folded.media].filter(([, it]) => it.alive).map(([sha256, it]) => {
    const [op] = it.makers;
    return { sha256, for: op.val.for, caption: view.content.media[sha256]?.caption ?? "", source: op.val.source, taken: op.val.taken, author: op.author, mime: op.val.mime, size: op.val.size, state: PHOTO_STATES[sha256] ?? "saved", progress: 62 };
  });
  const mine = entries.filter(({ op }) => op?.author === me).length;
  return {
    id: journal.id, assignment, template: complete ? template : null, view, folded, entries, media,
    tally: SCENE === "empty" ? { records: 0, records_on_server: 0, photos: 0, photos_on_server: 0, at: null } : { records: mine, records_on_server: Math.max(0, mine - 2), photos: media.length, photos_on_server: 3, at: AT(29) },
    board: [...assignment.crew, ...(assignment.former ?? [])].map(({ officer, name, leader }) => {
      const taken = entries.findLast(({ op }) => op.kind === "assign" && op.path[1] === officer)?.op.val;
      const signed = view.signatures.filter(({ signer }) => signer === officer).at(-1);
      return { officer, name, leader, phone: officer === LI ? "iPhone 13" : "安卓手机 A17", last: SCENE === "empty" ? null : officer === ZHANG ? AT(7) : AT(28), pending: officer === ZHANG && SCENE !== "empty" ? { ops: 2, media: 3, bytes: 3.1e6 } : { ops: 0, media: 0, bytes: 0 }, ops: entries.filter(({ op }) => op?.author === officer).length, signature: signed?.state ?? null, removed: taken?.role === "removed" ? taken.reason : null };
    }),
    on_phone: { bytes: 1.4e6, complete },
    withdrawn: SCENE === "left" && journal.id === IDS.live,
    leader: view.leader === me,
    no_signing: !complete ? "template" : view.phase === "final" ? "final" : view.conflicts.length ? "conflict" : null,
  };
}

const journals = new Map();

async function load() {
  const raw = await (await fetch("/app/dev/checklist.json")).json();
  template = raw;
  if (SCENE === "empty") {
    journals.set(IDS.live, dispatch(IDS.live, [LI, ZHANG, WANG]));
    declare(journals.get(IDS.live), [LI], -4);
  } else {
    const live = liveVisit();
    journals.set(IDS.live, live);
    if (SCENE === "recused") await stepBack(live);
    if (SCENE === "left") live.op("srv", "srv", "assign", ["crew", me], { role: "removed", reason: "health：突发急性阑尾炎，住院" }, { at: 29 });
    if (SCENE === "weak") {
      await sign(live, [LI, WANG, "subject"]);
      await sign(live, [ZHANG], { rid: PHONES[LI], via: LI });
    }
    if (SCENE === "ready" || SCENE === "stale") {
      await sign(live, [LI, ZHANG, "subject"]);
      if (SCENE === "stale") live.set(WANG, ["visit", "attendee"], "何敏", { at: 127 });
      await sign(live, [WANG], { at: 131 });
    }
    journals.set(IDS.next, dispatch(IDS.next, [LI, ZHANG]));
    journals.set(IDS.away, dispatch(IDS.away, [LI, ZHANG, WANG]));
    const done = liveVisit.call(null);
    done.id = IDS.done;
    for (const entry of done.entries) entry.op.visit = IDS.done;
    await finish(done);
    done.set(ZHANG, ["visit", "summary"], "补充说明", { at: 140, verdict: "late" });
    journals.set(IDS.done, done);
  }
  await refold();
}

async function refold() {
  for (const [id, journal] of journals) visitsById.set(id, await visitOf(journal, !(id === IDS.away || SCENE === "absent")));
}

export const boot = load;
export const setUpdateReady = () => {};

export const visits = async () => (SCENE === "empty" ? [] : [...visitsById.values()]);
export const visit = async (id) => visitsById.get(id) ?? null;
export const heads = (id, path) => {
  const v = visitsById.get(id);
  const register = v.folded.registers.get(pathKey(path));
  if (!register || register.values.length < 2 || v.leader) return headsAt(v.folded, path);
  return register.heads.filter((op) => op.author === me).map(opId);
};

export async function act(id, kind, path, val, base = heads(id, path)) {
  if (SCENE === "error") throw Object.assign(new Error("QuotaExceededError"), { code: "db_full" });
  const op = journals.get(id).by(me, kind, path, val, { base, at: 30, sent: false });
  await refold();
  changed();
  return op;
}

const log = (name, ...args) => ((window.calls ??= []).push([name, ...args]), args);
export const addPhotos = async (id, target, files, source, each) => {
  log("addPhotos", target, [...files].map(({ name }) => name), source);
  let n = 0;
  for (const file of files) {
    photo(journals.get(id), 100 + journals.get(id).entries.length, target, source, 30, me);
    each?.({ sha256: "", n: ++n, of: [...files].length });
  }
  await refold();
  changed();
  return [...files].map(() => ({ sha256: "", op: "" }));
};

const COLOURS = ["#8aa2a8", "#b4a58a", "#90989c", "#c4b7a6", "#9aa890", "#a89a90"];
export async function mediaUrl(id, sha256) {
  const n = parseInt(sha256.slice(0, 2), 16);
  if (n >= 40 && n < 48) return draw(208, 88, (c) => ((c.font = "56px serif"), (c.fillStyle = "#10243a"), c.fillText([...Object.values(NAMES)][n - 40] ?? "何敏", 10, 62)));
  return draw(320, 240, (c) => {
    c.fillStyle = COLOURS[n % COLOURS.length];
    c.fillRect(0, 0, 320, 240);
    c.fillStyle = "rgb(0 0 0 / .25)";
    c.fillRect(40 + n * 8, 60, 90, 140);
    c.fillRect(180, 90, 70, 110);
  });
}
function draw(w, h, paint) {
  const paper = Object.assign(document.createElement("canvas"), { width: w, height: h });
  paint(paper.getContext("2d"));
  return paper.toDataURL();
}

export const signIn = async (username, password) => {
  if (SCENE === "out" && password === "wrong") throw Object.assign(new Error(""), { code: "wrong_credentials" });
  return { enrolled: true };
};
export const enrol = async () => {
  now = { ...now, enrolled: true };
  changed();
};
export const signOut = async () => ({ done: false, unsent: 7, confirm: "7" });
export const signable = async (id) => ({ digest: visitsById.get(id).view.digest, short: visitsById.get(id).view.short });
export const captureSignature = async (...args) => (log("captureSignature", ...args), "x:1");
export const confirmSignature = async (...args) => (log("confirmSignature", ...args), "x:1");
export const changesSince = async () => [{ path: ["visit", "attendee"], then: null, now: "何敏" }];
export const proposeFinal = async (...args) => (log("proposeFinal", ...args), "x:1");
export const admit = async () => {
  throw Object.assign(new Error(""), { code: "offline" });
};
export const exportQueue = async () => new Blob(["{}"]);
export const syncNow = async () => {};
export const position = async () => GEO;
export const setDirty = () => {};

/** Some of the live visit's records are in the log; in the scene of errors one of them isn't what was written. */
export async function receipts(id) {
  if (id !== IDS.live && id !== IDS.done) return { n: 0, found: undefined };
  const alarms = SCENE === "error" ? [{ why: "other", id: "x:1", at: AT(40), given: [] }] : [];
  const found = { checked: AT(41), size: 1016, code: "3F7A-91C2", at: AT(30), signed: SCENE === "error" ? null : true, logged: 28, waiting: 3, proofs: {}, alarms };
  return { n: 31, found };
}

export async function outbox() {
  if (["empty", "out", "new"].includes(SCENE)) return [];
  const v = visitsById.get(IDS.live);
  const finding = [...v.folded.rows.keys()][0];
  const points = template.items[0].points;
  const item = (n, kind, path, state, reason = null, progress = 0, bytes = 640) => ({ id: kind === "photo" ? path[1] : `${PHONES[me]}:${n}`, visit: IDS.live, kind, path, state, reason, progress, at: AT(25 + n), bytes });
  return [
    item(31, "set", ["finding", finding, "text"], "quarantined", "not_member"),
    item(32, "set", ["finding", finding, "severity"], "conflict"),
    ...(SCENE === "error" ? [item(33, "set", ["visit", "summary"], "late"), item(34, "set", ["visit", "attendee"], "attention", "dead")] : []),
    item(3, "photo", ["media", SHA(3)], "sending", null, 62, 2.1e6),
    item(4, "photo", ["media", SHA(4)], "saved", null, 0, 1e6),
    item(35, "set", ["answer", points[9].id, "verdict"], "saved"),
    item(36, "set", ["answer", points[10].id, "verdict"], "held"),
  ];
}
