// What an officer wrote who then stepped back: each thing is marked, kept by two signatures or set aside (R20.3); and what
// was asked and decided about recusals in the office (R20.4).

import { useState } from "preact/hooks";
import { hasRecused, lockOf } from "../crew.js";
import { pathKey } from "../fold.js";
import { html, Tag } from "../ui/html.js";
import { Empty, Item, Notice, Page, Section } from "../ui/page.js";
import { Picture } from "../ui/photos.js";
import { Sheet } from "../ui/sheet.js";
import { date, dots, list, moment, t } from "../ui/words.js";
import { findingsOf, myId, nameOf } from "../reading.js";
import { pathWords, valueWords } from "../naming.js";
import { PhotoSheet } from "./evidence.js";
import { Strike } from "./finding-sheets.js";

/** @typedef {import("../store.js").Visit} Visit */
/** @typedef {{path: string[], author: string, at: string, aside: string[] | null, signed: string[]}} Thing
 *    `aside`: who took it out or wrote another value; `signed`: who has signed since */

/** @param {{rid: string, seq: number}} op */
const idOf = (op) => `${op.rid}:${op.seq}`;

/** Ids of what such officers wrote with effect. @param {Visit} v */
const flaggedIn = (v) =>
  new Set(
    v.view.flags.filter((/** @type {any} */ { flag }) => flag === "by_recused").map((/** @type {any} */ { op }) => op),
  );

/** The things that they made, whole rows and photos first, then single values. @param {Visit} v @returns {Thing[]} */
export function thingsOf(v) {
  const flagged = flaggedIn(v);
  const theirs = (/** @type {any} */ op) => flagged.has(idOf(op));
  const authors = (/** @type {any[]} */ ops) => [...new Set(ops.map(({ author }) => author))];
  /** @type {Thing[]} */
  const things = [];
  const add = (/** @type {string[]} */ path, /** @type {any} */ op, /** @type {string[] | null} */ aside) =>
    things.push({ path, author: op.author, at: op.at, aside, signed: signersBut(v, op.author) });
  for (const [group, all] of /** @type {[string, Map<string, any>][]} */ ([
    ["finding", v.folded.rows],
    ["media", v.folded.media],
  ])) {
    for (const [name, { makers, killers, alive }] of all) {
      const made = makers.find((/** @type {any} */ op) => theirs(op) && op.kind !== "set");
      if (made) add([group, name], made, alive ? null : authors(killers));
    }
  }
  const whole = new Set(things.map(({ path }) => pathKey(path)));
  const written = new Map(
    v.entries.flatMap(({ op }) => (op?.kind === "set" && theirs(op) ? [[pathKey(op.path), op]] : [])),
  );
  for (const [key, op] of written) {
    const heads = v.folded.registers.get(key)?.heads ?? [];
    if (whole.has(pathKey(op.path.slice(0, 2)))) continue;
    const others = authors(heads.filter((/** @type {any} */ head) => !theirs(head)));
    add(op.path, op, heads.some(theirs) ? null : others);
  }
  return things;
}

/** Members beside the author who signed what stands now. @param {Visit} v @param {string} author */
function signersBut(v, author) {
  const signed = v.view.signatures.filter(
    (/** @type {any} */ { state, signer }) =>
      state === "current" && signer !== author && v.view.members.includes(signer) && !hasRecused(v, signer),
  );
  return [...new Set(/** @type {string[]} */ (signed.map((/** @type {any} */ { signer }) => signer)))];
}

/** @param {Thing} thing two others decide by signing */
const isSettled = ({ signed }) => signed.length > 1;

/** @param {Visit} v @param {string[]} ids */
const namesOf = (v, ids) => list(ids.map((id) => nameOf(v, id)));

/** @param {{v: Visit}} props */
export default function Recused({ v }) {
  const [open, setOpen] = useState(/** @type {Thing | null} */ (null));
  const home = `/app/visits/${v.id}`;
  const things = thingsOf(v);
  const lock = lockOf(v, myId());
  const closed = lock || v.view.phase === "final" || v.view.phase === "void";
  const parts = /** @type {[string, Thing[]][]} */ ([
    ["open", things.filter((one) => !one.aside && !isSettled(one))],
    ["aside", things.filter(({ aside }) => aside)],
    ["kept", things.filter((one) => !one.aside && isSettled(one))],
  ]);
  return html`<${Page}
    title=${t("recused.title")}
    sub=${v.assignment.subject.name}
    back=${home}
    tab="record"
    visit=${v}
    dock=${!closed && html`<a class="btn main wide" href=${`${home}/record`}>${t("recused.sign")}</a>`}
  >
    ${lock && html`<${Notice} kind="due" icon="p-interrupted" title=${t(`locked.${lock}`)}>${t(`problem.${lock}`)}<//>`}
    ${
      things.length
        ? html`<${Notice}
            kind="due"
            icon="people"
            title=${t("recused.by", { names: namesOf(v, [...new Set(things.map(({ author }) => author))]) })}
            >${t("recused.how")}<//
          >`
        : html`<${Empty}>${t("recused.none")}<//>`
    }
    ${parts.map(
      ([name, its]) =>
        its.length > 0 &&
        html`<${Section} title=${t(`recused.${name}`)} end=${its.length}>
          ${its.map(
            (one) =>
              html`<${Item}
                key=${pathKey(one.path)}
                icon=${name === "open" ? "s-alert" : name === "aside" ? "na" : "pass"}
                kind=${name === "open" ? "due" : name === "aside" ? "calm" : "pass"}
                title=${titleOf(v, one.path)}
                note=${dots([saysOf(v, one.path), nameOf(v, one.author), moment(one.at)])}
                tag=${html`<span class="d">${stateWords(v, one)}</span>`}
                onClick=${() => setOpen(one)}
              />`,
          )}
        <//>`,
    )}
    ${open && html`<${One} v=${v} one=${open} closed=${!!closed} onClose=${() => setOpen(null)} />`}
  <//>`;
}

/** @param {Visit} v @param {string[]} path */
function titleOf(v, path) {
  const [group, name] = path;
  if (path.length > 2 || group === "visit") return pathWords(v, path);
  return group === "media"
    ? t("kind.photo")
    : t("finding.title", { n: findingsOf(v).find(({ row }) => row === name)?.n ?? "" });
}

/** What a thing says, in one line. @param {Visit} v @param {string[]} path */
function saysOf(v, path) {
  if (path[0] === "finding" && path.length === 2) {
    return findingsOf(v).find(({ row }) => row === path[1])?.fields.text || t("finding.no_text");
  }
  if (path[0] === "media" && path.length === 2) return v.media.find(({ sha256 }) => sha256 === path[1])?.caption;
  return valueWords(v, path, v.folded.registers.get(pathKey(path))?.values[0]?.val);
}

/** @param {Visit} v @param {Thing} one */
function stateWords(v, { path, aside, signed }) {
  const done =
    aside &&
    t(path.length > 2 || path[0] === "visit" ? "recused.rewritten" : "recused.out", { names: namesOf(v, aside) });
  const by =
    signed.length > 0 && t(signed.length > 1 ? "recused.signed" : "recused.one_signed", { names: namesOf(v, signed) });
  return dots([done, by || t(aside ? "recused.aside.next" : "recused.open.next")]);
}

/** Where a single value is written anew. @param {Visit} v @param {string[]} path */
function placeOf(v, [group, name]) {
  const home = `/app/visits/${v.id}`;
  if (group === "answer") return `${home}/checklist?point=${encodeURIComponent(name)}`;
  if (group === "finding") return `${home}/findings/${encodeURIComponent(name)}`;
  if (group === "media") return `${home}/evidence`;
  const step = /** @type {Record<string, string>} */ ({
    certificates_shown: "certificates",
    arrived: "arrival",
    notice_read: "notice",
  })[name];
  if (step) return `${home}?step=${step}`;
  return /^(result|basis|followup|attempts|noncoop)/.test(name) ? `${home}/result` : `${home}/record`;
}

/** One thing: what it says, and the ways to set it aside. @param {{v: Visit, one: Thing, closed: boolean, onClose: () => void}} props */
function One({ v, one, closed, onClose }) {
  const [out, setOut] = useState(false);
  const [group, name, field] = one.path;
  const finding = group === "finding" && findingsOf(v).find(({ row }) => row === name);
  const photo = group === "media" && v.media.find(({ sha256 }) => sha256 === name);
  if (photo && !field) return html`<${PhotoSheet} v=${v} photo=${photo} closed=${closed} onClose=${onClose} />`;
  if (out) return html`<${Strike} v=${v} one=${finding} stay onClose=${onClose} />`;
  const photos = v.media.filter((shot) => shot.for === `finding:${name}`);
  return html`<${Sheet} title=${titleOf(v, one.path)} onClose=${onClose}>
    <div class="stack">
      <p>${saysOf(v, one.path)}</p>
      ${group === "finding" && photos.length > 0 && html`<p class="row">${photos.map(({ sha256 }) => html`<span class="tiny"><${Picture} visit=${v.id} sha256=${sha256} alt=${t("photo.alt")} /></span>`)}</p>`}
      <p class="small soft">${dots([nameOf(v, one.author), moment(one.at)])}</p>
      <p class="small">${stateWords(v, one)}</p>
      ${
        !closed &&
        !one.aside &&
        html`<p class="note">${t("recused.keep")}</p>
          ${
            finding && !field
              ? html`<a class="btn wide" href=${placeOf(v, one.path)}>${t("recused.look")}</a>
                  <button type="button" class="btn wide" onClick=${() => setOut(true)}>${t("finding.strike")}</button>`
              : html`<a class="btn wide" href=${placeOf(v, one.path)}>${t("recused.rewrite")}</a>`
          }`
      }
    </div>
  <//>`;
}

/** That somebody stepped back, with the way to what he wrote; what the office holds; and, as long as nobody has begun, for
 * when the office planned it. @param {{v: Visit}} props */
export function News({ v }) {
  const [day, half] = (v.assignment.half_day ?? "").split("/");
  const things = thingsOf(v);
  const left = things.filter((one) => !isSettled(one)).length;
  return html`${
    half &&
    v.view.phase === "dispatched" &&
    html`<${Notice} kind="calm" icon="calendar">${t(`visit.planned_${half}`, { on: date(day) })}<//>`
  }
  ${
    things.length > 0 &&
    html`<${Notice} kind=${left ? "due" : "calm"} icon="people">
      <a href=${`/app/visits/${v.id}/recused`}
        >${t(left ? "recused.n" : "recused.n_settled", { names: namesOf(v, [...new Set(things.map(({ author }) => author))]), n: left || things.length })}</a
      >
    <//>`
  }
  ${heldIn(v).map((/** @type {any} */ one) => html`<${Notice} kind=${one.state === "dismissed" ? "calm" : "due"} icon="people">${recusalWords(v, one)}<//>`)}`;
}

/** In the record: who left the crew and why, and what was asked and decided. @param {{v: Visit}} props */
export function Changes({ v }) {
  const former = v.board.filter(({ removed }) => removed !== null);
  return html`${
    former.length > 0 &&
    html`<p>
      ${t("record.former")}${t("colon")}${list(former.map(({ name, removed }) => name + (removed ? t("paren", { text: whyWords(removed) }) : "")))}
    </p>`
  }
  ${heldIn(v).map((/** @type {any} */ one) => html`<p>${t("recusal.line")}${t("colon")}${recusalWords(v, one)}</p>`)}`;
}

/** Why an officer left, as the office wrote it: a kind of R20.1 and its own words. @param {string} reason */
export function whyWords(reason) {
  const [, kind, text] = reason.match(/^(post_change|work_conflict|health|other|recusal)：(.*)$/s) ?? [];
  return kind ? `${t(`change.${kind}`)}${t("colon")}${text}` : reason;
}

/** What the office holds, but for what an officer said himself on his phone: that stands in the visit. @param {Visit} v */
const heldIn = (v) =>
  (v.assignment.recusals ?? []).filter(
    (/** @type {any} */ { state, officer }) =>
      state !== "declared" || !v.view.content.visit[`no_interest:${officer}`]?.interest,
  );

/** @param {Visit} v @param {any} one as the office holds it */
const recusalWords = (v, { officer, state, asker, asked_on: on, reason, answer, decided_at: at }) =>
  t(`recusal.${state}`, {
    name: nameOf(v, officer),
    asker,
    on: date(on),
    reason,
    answer: answer ?? "",
    at: at ? date(at) : "",
  });

/** Beside whatever such an officer wrote. @param {{v: Visit, path: string[], pad?: boolean}} props `pad`: on a line of its own */
export function Mark({ v, path, pad }) {
  const key = pathKey(path);
  const one = thingsOf(v).find((it) => !it.aside && `${pathKey(it.path)}\n`.startsWith(`${key}\n`));
  if (!one) return null;
  const [kind, words] = isSettled(one) ? ["calm", "recused.mark.kept"] : ["due", "recused.mark"];
  const tag = html`<${Tag} kind=${kind} icon="people">${t(words)}<//>`;
  return pad ? html`<p class="pad-all">${tag}</p>` : tag;
}
