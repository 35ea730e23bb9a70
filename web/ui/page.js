// The frame of every screen: title, tally, content, dock and tabs, in the order in which they are read.

import { useEffect, useRef } from "preact/hooks";
import { Hit, html, Icon, Tag } from "./html.js";
import { useNow, useProblem } from "./live.js";
import { Tally } from "./tally.js";
import { t } from "./words.js";

const HOME = [
  ["visits", "list", "/app/visits"],
  ["outbox", "tray", "/app/outbox"],
  ["settings", "gear", "/app/settings"],
];
const VISIT = [
  ["overview", "home", ""],
  ["checklist", "list", "/checklist"],
  ["findings", "flag", "/findings"],
  ["group", "people", "/group"],
  ["record", "pen", "/record"],
];

/** @param {{title: string, sub?: any, back?: string, actions?: any, top?: any, tally?: any, dock?: any, tab?: string,
 *   visit?: import("../store.js").Visit, children?: any}} props `tab` names the pressed tab; without it there are none */
export function Page({ title, sub, back, actions, top, tally, dock, tab, visit, children }) {
  const heading = useRef(/** @type {HTMLElement | null} */ (null));
  const now = useNow();
  useEffect(() => {
    document.title = `${title} · ${t("app.name")}`;
  }, [title]);
  useEffect(() => heading.current?.focus({ preventScroll: true }), []);
  return html`<div class="page">
    <header class="top">
      <div class="bar">
        ${back && html`<${Hit} icon="back" label=${t("back")} href=${back} />`}
        <h1 tabindex="-1" ref=${heading}>${title}${sub && html`<small>${sub}</small>`}</h1>
        ${!back && now.online === false && html`<${Offline} />`} ${actions}
      </div>
      ${tally !== false && html`<${Tally} tally=${tally ?? (visit ? tallyOf(visit) : now.tally)} />`} ${top}
    </header>
    <main>
      <${Standing} now=${now} closed=${!tab && CLOSED.includes(visit?.view.phase)} />
      ${children}
    </main>
    ${dock && html`<section class="dock" aria-label=${t("dock")}>${dock}</section>`}
    ${tab && html`<${Tabs} tab=${tab} visit=${visit} now=${now} />`}
  </div>`;
}

/** A visit's tally: this phone's own, or, where it has none of its own, what the others wrote.
 * @param {import("../store.js").Visit} v @returns {import("../store.js").Tally} */
function tallyOf({ tally, entries, media }) {
  if (tally.records + tally.photos) return tally;
  const written = entries.filter(({ op }) => op && !op.rid.startsWith("srv"));
  return {
    records: written.length,
    records_on_server: written.filter(({ n }) => n).length,
    photos: media.length,
    photos_on_server: media.filter(({ state }) => state === "server").length,
    at: tally.at,
  };
}

const Offline = () =>
  html`<${Tag} kind="calm" icon="offline">${t(navigator.onLine ? "link.silent" : "link.offline")}<//>`;

const CLOSED = ["final", "void"];

/** What stands above everything: a stopped sending, a failed act, a visit that is over.
 * @param {{now: import("../store.js").State, closed: boolean}} props */
function Standing({ now, closed }) {
  const [problem, dismiss] = useProblem();
  return html`${closed && html`<${Notice} kind="late" icon="s-late">${t("visit.closed")}<//>`}${
    problem &&
    html`<${Notice}
      kind="attention"
      icon="s-alert"
      action=${html`<${Hit} icon="close" label=${t("close")} onClick=${dismiss} />`}
      ><span role="alert">${problem}</span><//
    >`
  }
  ${
    now.paused &&
    html`<${Notice} kind="due" icon="lock" title=${t(`paused.${now.paused}`)}>
      ${t(`paused.${now.paused}.next`)}
      ${now.paused === "signin" && html` <a href="/app/sign-in">${t("signin.again")}</a>`}
    <//>`
  }
  ${now.notices?.map(
    ({ code, text }) =>
      html`<${Notice} kind="now" icon="s-alert">${code === "asked_anew" ? t("notice.asked_anew") : text}<//>`,
  )}`;
}

/** A block that says what is so and what to do next. */
export const Notice = (/** @type {{kind: string, icon: string, title?: any, action?: any, children?: any}} */ props) =>
  html`<div class=${`notice k-${props.kind}`}>
    <${Icon} name=${props.icon} /><span class="grow"
      >${props.title && html`<b>${props.title}</b>`}${props.children}</span
    >
    ${props.action}
  </div>`;

/** @param {{tab: string, visit?: import("../store.js").Visit, now: import("../store.js").State}} props */
function Tabs({ tab, visit, now }) {
  const waiting = now.tally.records - now.tally.records_on_server + now.tally.photos - now.tally.photos_on_server;
  const counts = { outbox: waiting, findings: visit?.view.conflicts.length ?? 0 };
  const tabs = visit ? VISIT.map(([name, icon, path]) => [name, icon, `/app/visits/${visit.id}${path}`]) : HOME;
  return html`<nav class="tabs" aria-label=${t(visit ? "tabs.visit" : "tabs.home")}>
    ${tabs.map(([name, icon, href]) => {
      const n = counts[/** @type {keyof typeof counts} */ (name)];
      return html`<a href=${href} aria-current=${name === tab ? "page" : undefined}>
        <${Icon} name=${icon} />${t(`tab.${name}`)}
        ${n > 0 && html`<span class=${`num ${visit ? "k-conflict" : "k-calm"}`}>${n > 99 ? "99+" : n}</span>`}
      </a>`;
    })}
  </nav>`;
}

/** A ruled section with its heading. @param {{title: any, end?: any, children?: any}} props */
export const Section = ({ title, end, children }) =>
  html`<section>
    <h2 class="sect">${title}${end !== undefined && html`<span class="end">${end}</span>`}</h2>
    <div class="sheet">${children}</div>
  </section>`;

/** A row that leads somewhere or does something. @param {{href?: string, onClick?: () => void, icon?: string, kind?: string,
 *   title?: any, note?: any, tag?: any, end?: any, label?: string}} props */
export function Item({ href, onClick, icon, kind = "calm", title, note, tag, end }) {
  const inside = html`${icon && html`<span class=${`ink k-${kind}`}><${Icon} name=${icon} /></span>`}
    <span class="grow">
      ${title && html`<span class="t">${title}</span>`}${note && html`<span class="d">${note}</span>`}${tag}
    </span>
    ${end ?? ((href || onClick) && html`<${Icon} name="next" small />`)}`;
  if (href) return html`<a class="item" href=${href}>${inside}</a>`;
  if (onClick) return html`<button type="button" class="item" onClick=${onClick}>${inside}</button>`;
  return html`<div class="item">${inside}</div>`;
}

/** One sentence and one action. @param {{children?: any, action?: any}} props */
export const Empty = ({ children, action }) =>
  html`<div class="pad-all stack">
    <p class="soft">${children}</p>
    ${action}
  </div>`;
