// Which of one's records are in the public log, up to where, and that this phone has checked it; what doesn't agree stays.

import { useEffect, useState } from "preact/hooks";
import { receipts } from "../store.js";
import { html, Tag } from "../ui/html.js";
import { attempt, useLive, useNow } from "../ui/live.js";
import { Item, Notice, Section } from "../ui/page.js";
import { dots, moment, t } from "../ui/words.js";

/** @typedef {import("../receipts.js").Found} Found */
/** @typedef {import("../store.js").Visit} Visit */

/** All visits of which the server has something of this phone. @param {{all: Visit[]}} props */
export const InLog = ({ all }) => html`${all.map((v) => v && html`<${Logged} key=${v.id} v=${v} named />`)}`;

/** @param {{v: Visit, named?: boolean}} props `named`: under the subject's name, among others */
export function Logged({ v, named }) {
  const { online } = useNow();
  const [anew, set] = useState(/** @type {{n: number, found: Found | undefined} | undefined} */ (undefined));
  const [busy, setBusy] = useState(false);
  const kept = useLive(() => receipts(v.id), [v.id]);
  const now = anew?.found ?? kept?.found;
  const run = async () => {
    setBusy(true);
    try {
      set(await receipts(v.id, true));
    } finally {
      setBusy(false);
    }
  };
  const isNews = !!kept && kept.n > (now?.logged ?? 0);
  useEffect(() => void (isNews && online && run().catch(() => {})), [kept?.n]);
  if (!kept?.n) return null;
  return html`<${Section} title=${named ? t("log.of", { subject: v.assignment.subject.name }) : t("log.title")}>
    ${now?.alarms.map((one) => html`<${Alarm} key=${one.why + one.id} one=${one} />`)}
    <${Item}
      icon="lock"
      title=${now ? t("log.in", { n: now.logged, all: kept.n }) : t("log.unchecked", { n: kept.n })}
      note=${now && upTo(now)}
      tag=${now && html`<${State} now=${now} />`}
      end=${html`<button type="button" class="btn sm" disabled=${busy} onClick=${() => attempt(run)}>
        ${t(busy ? "log.checking" : "log.check")}
      </button>`}
    />
  <//>`;
}

/** @param {Found} now */
const upTo = ({ size, code, at, waiting }) =>
  dots([
    size && t("log.upto", { n: size, code, time: at ? moment(at) : t("value.none") }),
    waiting && t("log.waiting", { n: waiting }),
  ]);

/** @param {{now: Found}} props */
function State({ now }) {
  if (now.alarms.length) return html`<${Tag} kind="attention" icon="s-alert">${t("log.wrong")}<//>`;
  if (!now.logged) return html`<${Tag} kind="calm" icon="s-phone">${t("log.none")}<//>`;
  return now.signed
    ? html`<${Tag} kind="server" icon="pass">${t("log.good", { time: moment(now.checked) })}<//>`
    : html`<${Tag} kind="due" icon="g-weak">${t("log.unsigned", { time: moment(now.checked) })}<//>`;
}

/** @param {{one: import("../receipts.js").Alarm}} props */
const Alarm = ({ one }) =>
  html`<${Notice} kind="attention" icon="s-alert" title=${t(`log.alarm.${one.why}`)}
    ><span role="alert">${t("log.alarm.next", { time: moment(one.at) })}</span><//
  >`;
