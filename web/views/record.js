// The record as it will be printed, its short code, who has signed it, and what changed since.

import { useState } from "preact/hooks";
import { lockOf } from "../crew.js";
import { Later, Mark, News } from "../later.js";
import { confirmSignature } from "../store.js";
import { html } from "../ui/html.js";
import { attempt } from "../ui/live.js";
import { Item, Notice, Page, Section } from "../ui/page.js";
import { Picture } from "../ui/photos.js";
import { SignatureTag } from "../ui/signature-tag.js";
import { Strip } from "../ui/strip.js";
import { clock, date, list, moment, t, word } from "../ui/words.js";
import {
  answerOf,
  crewOf,
  factsOf,
  findingsOf,
  itemsOf,
  myId,
  nameOf,
  partsOf,
  pointsOf,
  versionsAt,
} from "../reading.js";

/** @typedef {import("../store.js").Visit} Visit */

/** @param {{v: Visit}} props */
export default function RecordPage({ v }) {
  const [edit, setEdit] = useState(false);
  const home = `/app/visits/${v.id}`;
  const lock = lockOf(v, myId());
  const closed = lock || v.view.phase === "final" || v.view.phase === "void";
  const dock =
    !closed &&
    html`<a class="btn main wide" href=${`${home}/result`}
      >${t(v.leader ? "record.to_result" : "record.see_result")}</a
    >`;
  return html`<${Page}
    title=${t("record.title")}
    sub=${v.assignment.subject.name}
    back=${home}
    tab="record"
    visit=${v}
    dock=${dock}
  >
    ${v.view.phase === "final" && html`<${Notice} kind="server" icon="p-final" title=${t("phase.final")}>${t("record.final")}<//><${Later} of="Logged" v=${v} />`}
    ${lock && html`<${Notice} kind="due" icon="p-interrupted" title=${t(`locked.${lock}`)}>${t(`problem.${lock}`)}<//>`}
    <${News} v=${v} />
    ${v.view.signatures.some((/** @type {Signature} */ { state }) => state === "stale") && html`<${Later} of="Changed" v=${v} />`}
    <${Document} v=${v} />
    ${!closed && html`<div class="sheet"><${Item} icon="pen" title=${t("particulars.title")} note=${t("particulars.note")} onClick=${() => setEdit(true)} /></div>`}
    <div class="pad-all"><${Strip} code=${v.view.short} say=${t(v.view.short ? "strip.compare" : "strip.open")} /></div>
    ${
      v.no_signing &&
      v.no_signing !== "final" &&
      html`<${Notice}
        kind=${v.no_signing === "conflict" ? "conflict" : "due"}
        icon=${v.no_signing === "conflict" ? "s-conflict" : "s-alert"}
      >
        ${v.no_signing === "conflict" ? html`<a href=${`${home}/conflicts`}>${t("nosign.conflict")}</a>` : t(`nosign.${v.no_signing}`)}
      <//>`
    }
    <${Signatures} v=${v} home=${home} />
    ${edit && html`<${Later} of="Particulars" v=${v} onClose=${() => setEdit(false)} />`}
  <//>`;
}

/** The newest signature of each signer; refused where it says so. @param {Visit} v @param {string} signer */
export function signatureOf(v, signer) {
  const made = v.view.signatures.filter((/** @type {any} */ one) => one.signer === signer);
  const best = made.find((/** @type {any} */ one) => one.state === "current") ?? made.at(-1);
  if (!best) return null;
  const op = v.entries.find((one) => one.op && `${one.op.rid}:${one.op.seq}` === best.op)?.op;
  return { ...best, at: op?.at, via: op?.via, image: op?.val.image, refused: op?.val.refused };
}

/** @param {{v: Visit, home: string}} props */
function Signatures({ v, home }) {
  const officers = crewOf(v).map((/** @type {any} */ one) => one.officer);
  const others = [
    "subject",
    ...v.view.signatures
      .map((/** @type {any} */ one) => one.signer)
      .filter((/** @type {string} */ id) => id === "witness" || id.startsWith("expert:")),
  ];
  const signers = [...new Set([...officers, ...others])];
  const good = signers.filter((id) => signatureOf(v, id)?.state === "current").length;
  return html`<${Section} title=${t("signatures")} end=${t("signatures.good", { n: good, all: signers.length })}>
    ${signers.map((id) => html`<${Signature} key=${id} v=${v} signer=${id} home=${home} />`)}
  <//>`;
}

/** @param {{v: Visit, signer: string, home: string}} props */
function Signature({ v, signer, home }) {
  const made = signatureOf(v, signer);
  const mine = signer === myId();
  const words = [signer === v.view.leader && t("leader"), mine && t("you")];
  const open = v.view.phase !== "final" && v.view.phase !== "void" && !v.no_signing && !lockOf(v, myId());
  const signing = open && made?.state !== "current" && made?.state !== "weak";
  const how =
    made &&
    list([
      made.at && (made.refused ? t("sign.refused.at", { time: moment(made.at) }) : moment(made.at)),
      made.via && t("sign.via", { name: made.via === myId() ? t("you") : nameOf(v, made.via) }),
    ]);
  return html`<div class="sig">
    <span class="grow">
      <b>${nameOf(v, signer)}</b> <span class="note">${list(words)}</span><br />
      <${SignatureTag} state=${made?.refused && made.state === "current" ? "refused" : (made?.state ?? "none")} />
      <span class="note">${how}</span>
      ${made?.refused && html`<br /><span class="small">${made.refused}</span>`}
    </span>
    ${made?.image && !signing && html`<${Picture} visit=${v.id} sha256=${made.image} as="original" cls="drawn" alt=${t("sign.of", { name: nameOf(v, signer) })} />`}
    ${signing && html`<a class=${mine ? "btn sm main" : "btn sm"} href=${`${home}/sign?who=${encodeURIComponent(signer)}`}>${t(made ? "sign.again" : mine ? "sign.go" : "sign.here")}</a>`}
    ${open && made?.state === "weak" && mine && made.via !== myId() && html`<button type="button" class="btn sm main" onClick=${() => attempt(() => confirmSignature(v.id, made.op))}>${t("sign.confirm")}</button>`}
  </div>`;
}

/** @param {{v: Visit}} props */
function Document({ v }) {
  const [whole, setWhole] = useState(false);
  const { visit } = v.view.content;
  const points = pointsOf(v.template);
  const count = (/** @type {string} */ answer) => points.filter(({ id }) => answerOf(v, id) === answer).length;
  const findings = findingsOf(v).filter(({ alive }) => alive);
  const when = visit.arrived
    ? `${date(visit.arrived.at)} ${clock(visit.arrived.at)}${visit.left ? t("record.until", { time: clock(visit.left.at) }) : ""}`
    : t("value.none");
  const line = (/** @type {string} */ key, /** @type {any} */ text) =>
    html`<p>${t(key)}${t("colon")}${text || t("value.none")}</p>`;
  return html`<article class="doc" lang="zh-CN">
    <h2>${t("record.heading")}</h2>
    ${line("record.subject", v.assignment.subject.name)} ${line("record.when", when)}
    ${(v.assignment.former || v.assignment.recusals) && html`<${Later} of="Changes" v=${v} />`}
    ${line("record.situation", t("record.counts", { all: points.length, pass: count("pass"), fail: count("fail"), na: count("na"), open: count("open") }))}
    ${line(
      "record.result",
      itemsOf(v)
        .map(
          ({ id, name }) =>
            visit[`result:${id}`] &&
            `${name}${t("paren", { text: list(visit[`result:${id}`].map((/** @type {string} */ type) => word("result", type))) })}`,
        )
        .filter(Boolean)
        .join(t("semicolon")),
    )}
    ${
      whole &&
      html`${line("subject.address", v.assignment.subject.address)}
        ${line("subject.crew", list(crewOf(v).map((/** @type {any} */ one) => `${one.name}${one.certificate ? t("paren", { text: one.certificate }) : ""}`)))}
        ${line("field.visit.attendee", list([visit.attendee, visit.attendee_post]))}
        ${line("field.visit.methods", list((visit.methods ?? []).map((/** @type {string} */ id) => word("method", id))))}
        ${line("record.notice", list([visit.certificates_shown && t("step.certificates"), visit.notice_read && t("step.notice")]))}
        <h3>${t("record.findings", { n: findings.length })}</h3>
        <ol>
          ${findings.map(({ row, n, fields }) => html`<li>${n}. ${fields.text || t("finding.no_text")}${t("paren", { text: list(factsOf(fields)) })} <${Mark} v=${v} path=${["finding", row]} /></li>`)}
        </ol>
        <h3>${t("record.points")}</h3>
        ${partsOf(v.template).map(
          ({ name, points: its }) =>
            html`<p><b>${name}</b></p>
              <ol>
                ${its.map((point) => html`<li>${point.no} ${point.text} ${t("dash")}${t(`answer.${answerOf(v, point.id)}`)}${versionsAt(v, ["answer", point.id, "note"])[0]?.val ? t("paren", { text: versionsAt(v, ["answer", point.id, "note"])[0].val }) : ""}</li>`)}
              </ol>`,
        )}
        <p>${t("record.photos", { n: v.media.length })}</p>
        ${line("field.visit.summary", visit.summary)}`
    }
    <p>
      <button type="button" class="btn quiet sm" aria-expanded=${whole} onClick=${() => setWhole(!whole)}>
        ${t(whole ? "less" : "record.whole")}
      </button>
    </p>
  </article>`;
}
