// Which view stands at which path under /app/, as data that tests and pictures walk; and the way from one to another.

import { Component, render } from "preact";
import { useEffect, useState } from "preact/hooks";
import { html } from "./ui/html.js";
import { explain, useLive, useNow } from "./ui/live.js";
import { Empty, Page } from "./ui/page.js";
import { applyPrefs } from "./ui/prefs.js";
import { date, t } from "./ui/words.js";
import { closedBy, isUndeclared, keepsClosed } from "./crew.js";
import { later, Later } from "./later.js";
import { myId } from "./reading.js";
import { state, visit } from "./store.js";
import * as signIn from "./views/sign-in.js";
import * as enrol from "./views/enrol.js";
import * as visitsView from "./views/visits.js";
import * as visitView from "./views/visit.js";
import * as checklist from "./views/checklist.js";
import * as findings from "./views/findings.js";
import * as finding from "./views/finding.js";
import * as record from "./views/record.js";
import * as sign from "./views/sign.js";
import * as result from "./views/result.js";

/** @typedef {{name: string, path: string, load: () => Promise<any>, open?: boolean}} View   those off the main way are fetched when first needed
 *    `open`: reached without anybody signed in; a path with `:visit` gets that visit, read from this phone */

/** @type {View[]} */
export const VIEWS = [
  { name: "sign-in", path: "/app/sign-in", load: async () => signIn, open: true },
  { name: "enrol", path: "/app/enrol", load: async () => enrol },
  { name: "visits", path: "/app/visits", load: async () => visitsView },
  { name: "visit", path: "/app/visits/:visit", load: async () => visitView },
  { name: "checklist", path: "/app/visits/:visit/checklist", load: async () => checklist },
  { name: "findings", path: "/app/visits/:visit/findings", load: async () => findings },
  { name: "finding", path: "/app/visits/:visit/findings/:row", load: async () => finding },
  { name: "evidence", path: "/app/visits/:visit/evidence", load: () => later().then(({ evidence }) => evidence) },
  { name: "group", path: "/app/visits/:visit/group", load: () => later().then(({ group }) => group) },
  { name: "conflicts", path: "/app/visits/:visit/conflicts", load: () => later().then(({ conflicts }) => conflicts) },
  { name: "recused", path: "/app/visits/:visit/recused", load: () => later().then(({ recused }) => recused) },
  { name: "record", path: "/app/visits/:visit/record", load: async () => record },
  { name: "sign", path: "/app/visits/:visit/sign", load: async () => sign },
  { name: "result", path: "/app/visits/:visit/result", load: async () => result },
  { name: "outbox", path: "/app/outbox", load: () => later().then(({ outbox }) => outbox) },
  { name: "settings", path: "/app/settings", load: () => later().then(({ settings }) => settings), open: true },
];

const PLACE = "suijian.place";

/** @param {string} pathname @returns {{view: View, params: Record<string, string>} | null} */
export function match(pathname) {
  const there = pathname.split("/");
  for (const view of VIEWS) {
    const parts = view.path.split("/");
    if (parts.length !== there.length || !parts.every((part, i) => part[0] === ":" || part === there[i])) continue;
    const params = Object.fromEntries(
      parts.flatMap((part, i) => (part[0] === ":" ? [[part.slice(1), decodeURIComponent(there[i])]] : [])),
    );
    return { view, params };
  }
  return null;
}

/** @param {string} href @param {{replace?: boolean}} [how] */
export function go(href, { replace } = {}) {
  if (href === location.pathname + location.search) return;
  history[replace ? "replaceState" : "pushState"](null, "", href);
  dispatchEvent(new Event("moved"));
}

/** A plain link is followed without loading the page again. @param {MouseEvent} event */
function follow(event) {
  const link = /** @type {Element} */ (event.target).closest?.("a[href^='/app/']");
  if (!link || event.defaultPrevented || event.button || event.metaKey || event.ctrlKey || event.shiftKey) return;
  event.preventDefault();
  go(/** @type {string} */ (link.getAttribute("href")));
}

/** Back where one was, also after a kill; an unknown page of a visit leads to the visit. */
function opening() {
  if (match(location.pathname)) return;
  let place = null;
  try {
    place = localStorage.getItem(PLACE);
  } catch {
    place = null; // Forbidden storage costs only this comfort.
  }
  const inVisit = location.pathname.match(/^\/app\/visits\/[^/]+/)?.[0];
  history.replaceState(null, "", inVisit ?? (place && match(place.split("?")[0]) ? place : "/app/visits"));
}

/** @param {View} view */
function gate(view) {
  const { officer, enrolled } = state();
  if (!officer && !view.open) return "/app/sign-in";
  if (officer && !enrolled && view.name !== "enrol" && !view.open) return "/app/enrol";
  return null;
}

class Guard extends Component {
  /** @param {any} error */
  static getDerivedStateFromError(error) {
    return { error };
  }
  render() {
    const { error } = /** @type {any} */ (this.state);
    if (!error) return /** @type {any} */ (this.props).children;
    return html`<${Page} title=${t("broken.title")} back="/app/visits" tally=${false}>
      <${Empty} action=${html`<a class="btn" href="/app/outbox">${t("broken.action")}</a>`}>${explain(error)}<//>
    <//>`;
  }
}

const scrolls = new Map();

function App() {
  const [at, setAt] = useState(location.pathname + location.search);
  const [, look] = useState(0);
  const [View, setView] = useState(/** @type {{for: string, view: any} | null} */ (null));
  const now = useNow();
  useEffect(() => {
    const move = () => {
      scrolls.set(at, scrollY);
      setAt(location.pathname + location.search);
    };
    const relook = () => look((n) => n + 1);
    addEventListener("popstate", move);
    addEventListener("moved", move);
    addEventListener("prefs", relook);
    return () => {
      removeEventListener("popstate", move);
      removeEventListener("moved", move);
      removeEventListener("prefs", relook);
    };
  }, [at]);
  const [pathname, search] = at.split("?");
  const found = match(pathname);
  const elsewhere = !now.fault && found && gate(found.view);
  useEffect(() => {
    if (elsewhere) return go(elsewhere, { replace: true });
    if (!found) return;
    if (!found.view.open) localStorage.setItem(PLACE, at);
    let on = true;
    found.view.load().then(
      (module) => on && setView({ for: at, view: module.default }),
      (error) =>
        on &&
        setView({
          for: at,
          view: () => {
            throw error;
          },
        }),
    );
    return () => void (on = false);
  }, [at, elsewhere]);
  useEffect(() => {
    scrollTo(0, scrolls.get(at) ?? 0);
  }, [View?.for]);

  if (now.fault) return html`<${Fault} fault=${now.fault} />`;
  if (!found) return html`<${Lost} />`;
  if (elsewhere || View?.for.split("?")[0] !== pathname) return null;
  const query = Object.fromEntries(new URLSearchParams(search));
  const shown = found.params.visit ? WithVisit : View.view;
  return html`<${Guard} key=${pathname}
    ><${shown} View=${View.view} params=${found.params} query=${query} screen=${found.view.name}
  /><//>`;
}

/** @param {{View: any, params: Record<string, string>, query: Record<string, string>, screen: string}} props */
function WithVisit({ View, params, query, screen }) {
  const v = useLive(() => visit(params.visit), [params.visit]);
  if (v === undefined) return null;
  if (v?.withdrawn) return html`<${Later} of="Left" v=${v} />`;
  if (v === null || !v.template) return html`<${Lost} title=${t("visit.absent.title")}>${t("visit.absent")}<//>`;
  const lock = closedBy(v, myId(), screen);
  if (lock) return html`<${Lost} title=${t(`locked.${lock}`)}>${t(`problem.${lock}`)}<//>`;
  const ended = keepsClosed(v, screen);
  if (ended.length)
    return html`<${Lost} title=${t("certificates.stop.title")}
      >${ended.map((one) => html`${one.name}${t("colon")}${t("certificates.ended", { day: date(one.certificate_to) })}<br />`)}${t("certificates.stop")}<//
    >`;
  if (isUndeclared(v, myId(), screen))
    return html`<${Lost}
      title=${t("certificates.stop.title")}
      action=${html`<a class="btn main" href=${`/app/visits/${v.id}?step=interest`}>${t("step.interest")}</a>`}
      >${t("interest.first")}<//
    >`;
  return html`<${View} v=${v} params=${params} query=${query} />`;
}

/** @param {{title?: string, action?: any, children?: any}} props */
const Lost = ({ title, action, children }) =>
  html`<${Page} title=${title ?? t("lost.title")} back="/app/visits" tally=${false}>
    <${Empty} action=${action ?? html`<a class="btn main" href="/app/visits">${t("lost.action")}</a>`}
      >${children ?? t("lost.text")}<//
    >
  <//>`;

/** A failing database: a red block, the rescue export, and no input behind it. @param {{fault: {code: string, detail: string}}} props */
function Fault({ fault }) {
  return html`<div class="page">
    <main class="pad-all stack">
      <div class="notice k-attention" role="alert">
        <span class="grow"
          ><h1>${t("fault.title")}</h1>
          ${t(`fault.${fault.code}`)}</span
        >
      </div>
      <${Later} of="ExportButton" />
      <button type="button" class="btn main wide" onClick=${() => location.reload()}>${t("fault.again")}</button>
      <p class="note mono">${fault.code} ${fault.detail}</p>
    </main>
  </div>`;
}

/** @param {Element} root */
export async function start(root) {
  await applyPrefs();
  history.scrollRestoration = "manual";
  opening();
  document.addEventListener("click", follow);
  render(html`<${App} />`, root);
}
