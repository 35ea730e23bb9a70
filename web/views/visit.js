// A visit: the subject's card, what is inspected, and the four steps at the gate.

import { useEffect, useState } from "preact/hooks";
import { endedBefore, keepsClosed, localDay, lockOf } from "../crew.js";
import { Later, News } from "../later.js";
import { go } from "../router.js";
import { act, heads, position } from "../store.js";
import { html, Icon, Segmented, Tag } from "../ui/html.js";
import { attempt } from "../ui/live.js";
import { Item, Notice, Page, Section } from "../ui/page.js";
import { PhaseTag } from "../ui/phase.js";
import { Sheet } from "../ui/sheet.js";
import { clock, date, day, dots, list, moment, stamp, t, word } from "../ui/words.js";
import { answeredIn, crewOf, itemsOf, myId, nameOf, pointsOf } from "../reading.js";

/** @param {{v: import("../store.js").Visit, query: any}} props */
export default function VisitPage({ v, query }) {
  const home = `/app/visits/${v.id}`;
  const [menu, setMenu] = useState(false);
  const points = pointsOf(v.template);
  const left = points.length - answeredIn(v, points);
  const steps = stepsOf(v);
  const close = () => go(home, { replace: true });
  const { subject } = v.assignment;
  const lock = lockOf(v, myId());
  const closed = lock || v.view.phase === "final" || v.view.phase === "void";
  const declared = v.view.content.visit[`no_interest:${myId()}`];
  const next = steps.find(({ done }, i) => !done && (i || !declared));
  const dock =
    next && !closed
      ? html`<a class="btn main wide" href=${`${home}?step=${next.name}`}>${t(`step.${next.name}`)}</a>`
      : html`<a class="btn main wide" href=${closed || !left ? `${home}/record` : `${home}/checklist`}>
          ${closed ? t("record.open") : left ? t("visit.continue", { n: left }) : t("visit.to_record")}
        </a>`;
  return html`<${Page}
    title=${t("visit.title")}
    back="/app/visits"
    tab="overview"
    visit=${v}
    dock=${dock}
    actions=${html`<button type="button" class="hit" aria-label=${t("more")} onClick=${() => setMenu(true)}><${Icon} name="more" /></button>`}
  >
    ${lock && html`<${Notice} kind="due" icon="p-interrupted" title=${t(`locked.${lock}`)}>${t(`problem.${lock}`)}<//>`}
    <${News} v=${v} />
    ${v.view.phase === "final_pending" && html`<${Notice} kind="now" icon="p-pending" title=${t("phase.final_pending")}>${t("visit.pending")}<//>`}
    ${
      v.view.conflicts.length > 0 &&
      html`<${Notice} kind="conflict" icon="s-conflict"
        ><a href=${`${home}/conflicts`}>${t("conflicts.n", { n: v.view.conflicts.length })}</a><//
      >`
    }
    <div class="sheet">
      <div class="pad-all">
        <p class="row">
          <${PhaseTag}
            phase=${v.view.phase}
          />${v.view.round > 1 && html`<span class="note">${t("visit.round", { n: v.view.round })}</span>`}
        </p>
        <h2 class="big">${subject.name}</h2>
        <p class="mono small soft">${subject.uscc}</p>
        <${Facts} v=${v} subject=${subject} />
      </div>
    </div>
    <${Section} title=${t("steps.title")} end=${t("steps.done", { n: steps.filter(({ done }) => done).length })}>
      ${steps.map(
        ({ name, done, note }) =>
          html`<${Item}
            icon=${done ? "pass" : "open"}
            kind=${done ? "pass" : "calm"}
            title=${t(`step.${name}`)}
            note=${note}
            href=${`${home}?step=${name}`}
          />`,
      )}
    <//>
    ${
      !lock &&
      html`<${Section} title=${t("visit.more")}>
        <${Item}
          icon="camera"
          title=${t("evidence.title")}
          note=${t("evidence.n", { n: v.media.length })}
          href=${`${home}/evidence`}
        />
        <${Item}
          icon="p-pending"
          title=${t("result.title")}
          note=${t(v.leader ? "result.yours" : "result.leaders")}
          href=${`${home}/result`}
        />
      <//>`
    }
    ${query.step && (!lock || (lock === "interrupted" && query.step === "interest")) && html`<${Step} v=${v} step=${query.step !== "interest" && keepsClosed(v, "step").length ? "certificates" : query.step} onClose=${close} />`}
    ${menu && html`<${Later} of="Menu" onClose=${() => setMenu(false)} />`}
  <//>`;
}

/** @param {{v: import("../store.js").Visit, subject: any}} props */
function Facts({ v, subject }) {
  const geo = subject.geo;
  const map = geo ? `geo:${geo.lat_e7 / 1e7},${geo.lon_e7 / 1e7}?q=` : "geo:0,0?q=";
  const due = v.assignment.tasks
    .map((/** @type {any} */ task) => task.due_on)
    .filter(Boolean)
    .sort()[0];
  return html`<dl class="facts">
    <dt>${t("subject.person")}</dt>
    <dd>
      <span class="grow"
        >${subject.representative ?? "–"}${subject.post ? t("paren", { text: subject.post }) : ""}</span
      >
      ${subject.phone && html`<a class="btn sm" href=${`tel:${subject.phone}`}><${Icon} name="phone" small />${t("subject.call")}</a>`}
    </dd>
    <dt>${t("subject.address")}</dt>
    <dd>
      <span class="grow">${subject.address ?? "–"}</span>
      ${subject.address && html`<a class="btn sm" href=${map + encodeURIComponent(subject.address)}><${Icon} name="map" small />${t("subject.map")}</a>`}
    </dd>
    ${
      (subject.risk || subject.credit) &&
      html`<dt>${t("subject.grades")}</dt>
        <dd>
          ${dots([subject.risk && t(`risk.${subject.risk}`), subject.credit && t("credit", { grade: subject.credit })])}
        </dd>`
    }
    ${
      subject.earlier?.length > 0 &&
      html`<dt>${t("subject.earlier")}</dt>
        <dd>
          <span
            >${subject.earlier.map((/** @type {any} */ one) => html`${date(one.on)} ${one.result ? word("result", one.result) : ""} ${one.text}<br />`)}</span
          >
        </dd>`
    }
    <dt>${t("subject.items")}</dt>
    <dd>
      <span
        >${list(itemsOf(v).map(({ name }) => name))}${itemsOf(v).length > 1 && html`<br /><span class="note">${t("subject.together", { n: itemsOf(v).length })}</span>`}</span
      >
    </dd>
    <dt>${t("subject.window")}</dt>
    <dd>
      ${t("subject.window.to", { from: day(v.assignment.window.from), to: day(v.assignment.window.to) })}${due && due !== v.assignment.window.to.slice(0, 10) ? t("paren", { text: t("subject.due", { day: day(due) }) }) : ""}
    </dd>
    <dt>${t("subject.crew")}</dt>
    <dd>
      ${list(crewOf(v).map((/** @type {any} */ one) => one.name + (one.officer === v.view.leader ? t("paren", { text: t("leader") }) : "")))}
    </dd>
  </dl>`;
}

/** The four steps, and whether each is done. @param {import("../store.js").Visit} v */
export function stepsOf(v) {
  const { visit } = v.view.content;
  const undeclared = v.view.members.filter((/** @type {string} */ id) => !visit[`no_interest:${id}`]);
  const interested = v.view.members.filter((/** @type {string} */ id) => visit[`no_interest:${id}`]?.interest);
  const crew = crewOf(v);
  const distance = visit.arrived && metres(visit.arrived.geo, v.assignment.subject.geo);
  const names = (/** @type {string[]} */ ids) => list(ids.map((id) => nameOf(v, id)));
  return [
    {
      name: "interest",
      done: !undeclared.length && !interested.length,
      note: interested.length
        ? t("interest.recused", { names: names(interested) })
        : undeclared.length
          ? t("interest.waiting", { names: names(undeclared) })
          : t("interest.all", { names: names(v.view.members) }),
    },
    {
      name: "certificates",
      done: visit.certificates_shown === true,
      note: expired(crew).length
        ? t("certificates.expired", { names: list(expired(crew).map((/** @type {any} */ one) => one.name)) })
        : t("certificates.valid", { n: crew.length }),
    },
    {
      name: "arrival",
      done: !!visit.arrived,
      note: visit.arrived
        ? t("arrival.at", { time: moment(visit.arrived.at), place: distanceWords(distance, visit.arrived.geo) })
        : t("arrival.todo"),
    },
    { name: "notice", done: visit.notice_read === true, note: t(visit.notice_read ? "notice.done" : "notice.todo") },
  ];
}

/** @param {any[]} crew */
const expired = (crew) => endedBefore(crew, localDay(new Date()));

/** @param {any} a @param {any} b metres between two places, null where one is unknown */
function metres(a, b) {
  if (!a || !b) return null;
  const rad = Math.PI / 180 / 1e7;
  const x = (a.lon_e7 - b.lon_e7) * rad * Math.cos(((a.lat_e7 + b.lat_e7) / 2) * rad);
  const y = (a.lat_e7 - b.lat_e7) * rad;
  return Math.round(Math.hypot(x, y) * 6371000);
}

/** @param {number | null} distance @param {any} geo */
function distanceWords(distance, geo) {
  if (!geo) return t("arrival.no_place");
  const accuracy = Math.round(geo.acc_cm / 100);
  if (distance === null) return t("arrival.place", { n: accuracy });
  return t(distance < 1000 ? "arrival.metres" : "arrival.km", {
    n: distance < 1000 ? distance : (distance / 1000).toFixed(1),
    acc: accuracy,
  });
}

/** @param {{v: import("../store.js").Visit, step: string, onClose: () => void}} props */
function Step({ v, step, onClose }) {
  const body = { interest: Interest, certificates: Certificates, arrival: Arrival, notice: NoticeRead }[step];
  if (!body) return null;
  return html`<${Sheet} title=${t(`step.${step}`)} onClose=${onClose}><${body} v=${v} onClose=${onClose} /><//>`;
}

/** @param {import("../store.js").Visit} v @param {string[]} path @param {any} val @param {string[]} base */
const write = (v, path, val, base) => attempt(() => act(v.id, "set", path, val, base));

/** @param {import("../store.js").Visit} v @param {string[]} path the heads as the sheet opened */
function useBase(v, path) {
  const [base] = useState(() => heads(v.id, path));
  return base;
}

/** Each for himself; yes is a recusal. @param {{v: import("../store.js").Visit, onClose: () => void}} props */
function Interest({ v, onClose }) {
  const path = ["visit", `no_interest:${myId()}`];
  const said = v.view.content.visit[path[1]];
  const base = useBase(v, path);
  const [has, setHas] = useState(said ? (said.interest ? "yes" : "no") : null);
  const [reason, setReason] = useState(said?.reason ?? "");
  const member = v.view.members.includes(myId());
  const others = v.view.members.filter((/** @type {string} */ id) => id !== myId());
  const save = async () => {
    if (has === null || (has === "yes" && !reason.trim())) return;
    const done = await write(v, path, { interest: has === "yes", reason: reason.trim().normalize("NFC") }, base);
    if (done) onClose();
  };
  return html`<div class="stack">
    <p class="small">${t("interest.text", { subject: v.assignment.subject.name })}</p>
    ${
      member &&
      html`<${Segmented}
          label=${t("step.interest")}
          options=${[
            ["no", t("interest.no")],
            ["yes", t("interest.yes")],
          ]}
          value=${has}
          onPick=${setHas}
        />
        ${
          has === "yes" &&
          html`<div>
            <label class="lab" for="interest-reason">${t("interest.reason")}</label>
            <textarea
              class="box"
              id="interest-reason"
              value=${reason}
              onInput=${(/** @type {any} */ event) => setReason(event.target.value)}
            ></textarea>
            <p class="note">${t("interest.yes.note")}</p>
          </div>`
        }
        <button
          type="button"
          class="btn main wide"
          aria-disabled=${has === null || (has === "yes" && !reason.trim())}
          onClick=${save}
        >
          ${t(has === "yes" ? "interest.recuse" : "interest.declare")}
        </button>`
    }
    <ul class="small soft">
      ${others.map((/** @type {string} */ id) => {
        const one = v.view.content.visit[`no_interest:${id}`];
        return html`<li>
          ${nameOf(v, id)} ·
          ${t(one ? (one.interest ? "interest.has.short" : "interest.none") : "interest.waiting.short")}
        </li>`;
      })}
    </ul>
  </div>`;
}

/** @param {{v: import("../store.js").Visit, onClose: () => void}} props */
function Certificates({ v, onClose }) {
  const path = ["visit", "certificates_shown"];
  const base = useBase(v, path);
  const out = expired(crewOf(v));
  const soon = endedBefore(crewOf(v), localDay(new Date(), 31)).filter((one) => !out.includes(one));
  const namesOf = (/** @type {any[]} */ ones) => list(ones.map((one) => one.name));
  return html`<div class="stack">
    <dl class="facts">
      ${crewOf(v).map(
        (/** @type {any} */ one) =>
          html`<dt>${one.name}</dt>
            <dd>
              <span class="grow"
                ><span class="mono">${one.certificate}</span><br />
                ${
                  out.includes(one)
                    ? html`<${Tag} kind="attention" icon="s-alert"
                        >${t("certificates.ended", { day: date(one.certificate_to) })}<//
                      >`
                    : html`<span class="note"
                        >${one.certificate_to && t("certificates.to", { day: date(one.certificate_to) })}</span
                      >`
                }</span
              >
            </dd>`,
      )}
    </dl>
    ${soon.length > 0 && html`<p class="note">${t("certificates.soon", { names: namesOf(soon) })}</p>`}
    ${
      out.length
        ? html`<${Notice} kind="attention" icon="s-alert" title=${t("certificates.expired", { names: namesOf(out) })}
            >${t("certificates.stop")}<//
          >`
        : html`<button
            type="button"
            class="btn main wide"
            onClick=${async () => (await write(v, path, true, base)) && onClose()}
          >
            ${t("certificates.shown")}
          </button>`
    }
  </div>`;
}

/** The place is shown and kept; it never blocks. @param {{v: import("../store.js").Visit, onClose: () => void}} props */
function Arrival({ v, onClose }) {
  const path = ["visit", "arrived"];
  const base = useBase(v, path);
  const known = v.view.content.visit.arrived;
  const [geo, setGeo] = useState(/** @type {any} */ (undefined));
  useEffect(() => {
    position().then(setGeo);
  }, []);
  const distance = metres(geo, v.assignment.subject.geo);
  const save = async () => {
    const done = await write(v, path, { at: stamp(), geo: geo ?? null, nonce: v.assignment.nonce ?? null }, base);
    if (done) onClose();
  };
  return html`<div class="stack">
    ${known && html`<p class="small">${t("arrival.known", { time: moment(known.at) })}</p>`}
    <dl class="facts">
      <dt>${t("arrival.time")}</dt>
      <dd>${clock(new Date())}</dd>
      <dt>${t("subject.address")}</dt>
      <dd>${v.assignment.subject.address ?? "–"}</dd>
      <dt>${t("arrival.where")}</dt>
      <dd>${geo === undefined ? t("arrival.looking") : distanceWords(distance, geo)}</dd>
    </dl>
    <p class="note">${t("arrival.note")}</p>
    <button type="button" class="btn main wide" onClick=${save}>${t(known ? "arrival.again" : "arrival.go")}</button>
  </div>`;
}

/** @param {{v: import("../store.js").Visit, onClose: () => void}} props */
function NoticeRead({ v, onClose }) {
  const path = ["visit", "notice_read"];
  const base = useBase(v, path);
  return html`<div class="stack">
    <p class="prose">${t("notice.text", { names: list(crewOf(v).map((/** @type {any} */ one) => one.name)) })}</p>
    <button type="button" class="btn main wide" onClick=${async () => (await write(v, path, true, base)) && onClose()}>
      ${t("notice.confirm")}
    </button>
  </div>`;
}
