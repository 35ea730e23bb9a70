// My visits: the one in progress as a block, the others as ruled rows by day, each with what is on this phone.

import { useEffect, useRef, useState } from "preact/hooks";
import { Later } from "../later.js";
import { syncNow, visits } from "../store.js";
import { Icon, html, Tag } from "../ui/html.js";
import { useLive, useNow } from "../ui/live.js";
import { Empty, Notice, Page } from "../ui/page.js";
import { PhaseTag } from "../ui/phase.js";
import { clock, day, isoDay, isToday, list, moment, size, t, weekday } from "../ui/words.js";
import { answeredIn, myId, nameOf, pointsOf } from "../reading.js";

const DONE = ["final", "void"];
const LIVE = ["started", "interrupted", "final_pending"];

export default function Visits() {
  const known = useLive(visits);
  const { oldest } = useNow();
  const pull = usePull();
  if (!known) return null;
  const all = known.filter(({ withdrawn }) => !withdrawn);
  const live = all.filter((v) => LIVE.includes(v.view.phase));
  const done = all.filter((v) => DONE.includes(v.view.phase));
  const rest = all.filter((v) => !live.includes(v) && !done.includes(v));
  const days = [...new Set([...(live.length ? [isoDay()] : []), ...rest.map(dayOf)])].sort();
  return html`<${Page} title=${t("visits.title")} tab="visits" top=${pull}>
    ${
      oldest &&
      Date.now() - Date.parse(oldest) > 3 * 864e5 &&
      html`<${Notice} kind="attention" icon="s-alert" title=${t("visits.old", { day: day(oldest) })}
        >${t("visits.old.next")}<//
      >`
    }
    ${
      !all.length &&
      html`<${Empty} action=${html`<button type="button" class="btn" onClick=${syncNow}>${t("sync.now")}</button>`}
        >${t("visits.none")}<//
      >`
    }
    ${days.map((on) => {
      const here = rest.filter((v) => dayOf(v) === on);
      const now = on === isoDay() ? live : [];
      return html`<section key=${on}>
        <h2 class="sect">${heading(on)}<span class="end">${t("visits.n", { n: here.length + now.length })}</span></h2>
        ${now.map((v) => html`<${Live} key=${v.id} v=${v} />`)}
        ${here.length > 0 && html`<div class="sheet">${here.map((v) => html`<${Row} key=${v.id} v=${v} />`)}</div>`}
      </section>`;
    })}
    ${
      done.length > 0 &&
      html`<section>
        <h2 class="sect">${t("visits.done")}</h2>
        <div class="sheet">${done.map((v) => html`<${Row} key=${v.id} v=${v} />`)}</div>
      </section>`
    }
    ${known.length > all.length && html`<${Later} of="Gone" all=${known} />`}
  <//>`;
}

/** The day it is planned for; a window that is open already counts as today. @param {import("../store.js").Visit} v */
function dayOf(v) {
  const { planned_at: planned, window } = v.assignment;
  const on = planned ? isoDay(planned) : String(window.from).slice(0, 10);
  return on > isoDay() ? on : isoDay();
}

/** @param {string} on */
function heading(on) {
  const tomorrow = isoDay(Date.now() + 864e5);
  if (on === isoDay()) return t("day.today", { day: weekday(on) });
  return on === tomorrow ? t("day.tomorrow", { day: weekday(on) }) : weekday(on);
}

/** Leader first, oneself as 你. @param {import("../store.js").Visit} v */
function crewWords(v) {
  const names = v.view.members
    .filter((/** @type {string} */ id) => id !== v.view.leader)
    .map((/** @type {string} */ id) => (id === myId() ? t("you") : nameOf(v, id)));
  const leader = v.view.leader === myId() ? t("you") : nameOf(v, v.view.leader);
  return t("visits.crew", { leader, names: list(names) });
}

/** @param {{v: import("../store.js").Visit}} props */
function Live({ v }) {
  const points = pointsOf(v.template);
  const { arrived } = v.view.content.visit;
  const conflicts = v.view.conflicts.length;
  return html`<article class="live">
    <p class="row">
      <${PhaseTag} phase=${v.view.phase} /><span class="note">
        ${arrived && t("visits.arrived", { time: isToday(arrived.at) ? clock(arrived.at) : moment(arrived.at) })}
        ${crewWords(v)}</span
      >
    </p>
    <h3>${v.assignment.subject.name}</h3>
    <p class="small soft">${v.assignment.subject.address}</p>
    <div class="row">
      ${points.length > 0 && html`<span class="small"><b>${answeredIn(v, points)}</b>/${t("points.answered", { n: points.length })}</span>`}
      ${conflicts > 0 && html`<${Tag} kind="conflict" icon="s-conflict">${t("conflicts.n", { n: conflicts })}<//>`}
      <${OnPhone} v=${v} brief />
    </div>
    <a class="btn main wide" href=${`/app/visits/${v.id}`}
      >${t(v.view.phase === "final_pending" ? "visits.look" : "visits.continue")}</a
    >
  </article>`;
}

/** @param {{v: import("../store.js").Visit, brief?: boolean}} props */
const OnPhone = ({ v, brief }) =>
  v.on_phone.complete
    ? !brief && html`<${Tag} kind="server" icon="s-phone">${t("onphone.yes", { size: size(v.on_phone.bytes) })}<//>`
    : html`<${Tag} kind="attention" icon="s-alert">${t("onphone.no")}<//>`;

/** @param {{v: import("../store.js").Visit}} props */
function Row({ v }) {
  const { subject, window, planned_at: planned } = v.assignment;
  const over = DONE.includes(v.view.phase);
  const ended = v.view.content.visit.left?.at ?? v.view.content.visit.arrived?.at;
  return html`<a class="visit" href=${`/app/visits/${v.id}`}>
    <span class="time">
      ${over ? (ended ? day(ended) : "–") : planned ? clock(planned) : day(window.to)}
      <small>${over ? "" : t(planned ? "visits.waiting" : "visits.until")}</small>
    </span>
    <span>
      <b>${subject.name}</b>
      ${!over && html`<span class="small soft"><br />${subject.address}<br />${crewWords(v)}</span>`}
      <span class="row">
        <${PhaseTag} phase=${v.view.phase} />
        ${!over && html`<${OnPhone} v=${v} />`}
        ${v.view.late.length > 0 && html`<${Tag} kind="late" icon="s-late">${t("late.n", { n: v.view.late.length })}<//>`}
      </span>
    </span>
  </a>`;
}

/** Pull down at the top, or the button at its place, to ask the server now. */
function usePull() {
  const [pulling, setPulling] = useState(false);
  const from = useRef(0);
  const { sending } = useNow();
  useEffect(() => {
    const down = (/** @type {TouchEvent} */ event) => {
      from.current = scrollY ? 0 : event.touches[0].clientY;
    };
    const up = (/** @type {TouchEvent} */ event) => {
      if (!from.current || event.changedTouches[0].clientY - from.current < 90) return;
      setPulling(true);
      syncNow().finally(() => setPulling(false));
    };
    addEventListener("touchstart", down, { passive: true });
    addEventListener("touchend", up, { passive: true });
    return () => {
      removeEventListener("touchstart", down);
      removeEventListener("touchend", up);
    };
  }, []);
  return (
    (pulling || sending) && html`<p class="note pad-all"><${Icon} name="s-sending" small /> ${t("sync.asking")}</p>`
  );
}
