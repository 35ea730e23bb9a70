// What a change of the crew means for this phone: what closes a visit to its officer, and certificates by its day.

const READABLE = ["visit", "record", "group", "recused"];
const OVER = ["final", "void"];

/** @import { Visit } from "./store.js" */

/** R20.3: nothing is added by an officer whose own interest is declared, here or in the office, or for whom the subject's
 * request was upheld (R20.4). @param {Visit} v @param {string} officer */
export const hasRecused = ({ view, assignment: { recusals = [] } }, officer) =>
  view.content.visit[`no_interest:${officer}`]?.interest === true ||
  recusals.some((/** @type {any} */ one) => one.officer === officer && /declared|upheld/.test(one.state));

/** Why he writes nothing now: he left the crew, he recused himself, or the crew doesn't stand (R18.2).
 * @param {Visit} v @param {string} me @returns {"withdrawn" | "recused" | "interrupted" | null} */
export function lockOf(v, me) {
  const { members, leader, phase } = v.view;
  if (v.withdrawn) return "withdrawn";
  if (hasRecused(v, me)) return "recused";
  const able = members.filter((/** @type {string} */ id) => !hasRecused(v, id));
  return OVER.includes(phase) || (leader && able.length > 1) ? null : "interrupted";
}

/** Why a screen stays closed to him; what only shows stays open. @param {Visit} v @param {string} me @param {string} screen */
export const closedBy = (v, me, screen) => (READABLE.includes(screen) ? null : lockOf(v, me));

/** R20.3: no check begins for him before his own word on an interest. @param {Visit} v @param {string} me @param {string} screen */
export const isUndeclared = ({ view: { content, phase } }, me, screen) =>
  !READABLE.includes(screen) && !OVER.includes(phase) && !content.visit[`no_interest:${me}`];

/** Members whose certificate ended before today, while that keeps a screen closed: no check begins with them.
 * @param {any} v @param {string} screen @param {Date} [now] @returns {any[]} */
export function keepsClosed({ view, assignment: { crew } }, screen, now = new Date()) {
  if (READABLE.includes(screen) || OVER.includes(view.phase) || view.content.visit.certificates_shown === true)
    return [];
  return endedBefore(
    crew.filter((/** @type {any} */ { officer }) => view.members.includes(officer)),
    localDay(now),
  );
}

/** The phone's own day, `days` later. @param {Date} now @param {number} [days] */
export function localDay(now, days = 0) {
  const then = new Date(now.getFullYear(), now.getMonth(), now.getDate() + days);
  const two = (/** @type {number} */ n) => String(n).padStart(2, "0");
  return `${then.getFullYear()}-${two(then.getMonth() + 1)}-${two(then.getDate())}`;
}

/** Those whose certificate's last day lies before `day`. @param {any[]} crew @param {string} day */
export const endedBefore = (crew, day) => crew.filter(({ certificate_to: to }) => to && to < day);
