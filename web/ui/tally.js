// The tally: one tick an item, and a sentence that never rounds.

import { html } from "./html.js";
import { moment, parts, t } from "./words.js";

const MOST = 80;

/** Groups of ticks. Above eighty a tick stands for several, the worst of them shown.
 * @param {{groups: string[][]}} props each item's state: server saved sending conflict quarantined late attention,
 *   or done and open for answers */
export function Ruler({ groups }) {
  const total = groups.reduce((sum, group) => sum + group.length, 0);
  const each = Math.ceil(total / MOST);
  const shown = groups.map((group) => squeeze(group, each)).filter((group) => group.length);
  if (!shown.length) return null;
  return html`<span class="ruler" aria-hidden="true">
    ${shown.map((group) => html`<span style=${{ flex: group.length }}>${group.map((state) => html`<i class=${state}></i>`)}</span>`)}
  </span>`;
}

const WORST = ["attention", "quarantined", "conflict", "late", "sending", "held", "saved", "open", "server", "done"];

/** @param {string[]} group @param {number} each */
function squeeze(group, each) {
  if (each < 2) return group;
  const ticks = [];
  for (let i = 0; i < group.length; i += each) {
    const some = group.slice(i, i + each);
    ticks.push(WORST.find((state) => some.includes(state)) ?? "server");
  }
  return ticks;
}

/** Ticks of a count: what arrived first, then what is known of the rest.
 * @param {number} all @param {number} there @param {string[]} [others] */
export const ticks = (all, there, others = []) => [
  ...Array(Math.max(0, Math.min(there, all - others.length))).fill("server"),
  ...others,
  ...Array(Math.max(0, all - Math.max(there, 0) - others.length)).fill("saved"),
];

/** "34/34 records and 11/12 photos are on the server"
 * @param {{tally: import("../store.js").Tally, words?: string}} props */
export const TallyLine = ({ tally, words = "tally.line" }) =>
  html`<span
    >${parts(words, {
      records: html`<b>${tally.records_on_server}</b>/${tally.records}`,
      photos: html`<b>${tally.photos_on_server}</b>/${tally.photos}`,
    })}</span
  >`;

/** The line on top of a page: what is sent, what isn't, when last proven. @param {{tally: import("../store.js").Tally}} props */
export const Tally = ({ tally }) =>
  html`<a class="tally" href="/app/outbox">
    <span class="line">
      ${tally.records + tally.photos ? html`<${TallyLine} tally=${tally} />` : t("tally.none")}
      ${tally.at && html`<span class="end">${t("tally.proven", { time: moment(tally.at) })}</span>`}
    </span>
    <${Ruler} groups=${[ticks(tally.records, tally.records_on_server), ticks(tally.photos, tally.photos_on_server)]} />
  </a>`;
