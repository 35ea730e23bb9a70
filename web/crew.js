// What a change of the crew means for this phone: what closes a visit to its officer, and certificates by its day.

const READABLE = ["visit", "record", "group"];
const OVER = ["final", "void"];
const BEGUN = ["checklist", "findings", "finding"];

/** R20.3: nothing is added by an officer whose own interest is declared. @param {any} content @param {string} me */
export const hasRecused = (content, me) => content.visit[`no_interest:${me}`]?.interest === true;

/** Why he writes nothing now: his recusal, or a crew that doesn't stand (R18.2). @param {any} view @param {string} me
 * @returns {"recused" | "interrupted" | null} */
export const lockOf = ({ content, phase }, me) =>
  hasRecused(content, me) ? "recused" : phase === "interrupted" ? "interrupted" : null;

/** Why a screen stays closed to him; what only shows stays open. @param {any} view @param {string} me @param {string} screen */
export const closedBy = (view, me, screen) => (READABLE.includes(screen) ? null : lockOf(view, me));

/** Members whose certificate ended before today, while that keeps a screen closed: no check begins with them.
 * @param {any} v @param {string} screen @param {Date} [now] @returns {any[]} */
export function keepsClosed({ view, assignment: { crew } }, screen, now = new Date()) {
  if (!BEGUN.includes(screen) || view.content.visit.certificates_shown === true || OVER.includes(view.phase)) return [];
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
