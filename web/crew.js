// What a change of the crew means for this phone: a visit locked by an officer's own recusal, certificates by its day.

const READABLE = ["visit", "record", "group"];

/** R20.3: nothing is added by an officer whose own interest is declared. @param {any} content @param {string} me */
export const hasRecused = (content, me) => content.visit[`no_interest:${me}`]?.interest === true;

/** Whether a screen stays closed to him; what only shows stays open. @param {any} content @param {string} me @param {string} screen */
export const isLocked = (content, me, screen) => hasRecused(content, me) && !READABLE.includes(screen);

/** The phone's own day, `days` later. @param {Date} now @param {number} [days] */
export function localDay(now, days = 0) {
  const then = new Date(now.getFullYear(), now.getMonth(), now.getDate() + days);
  const two = (/** @type {number} */ n) => String(n).padStart(2, "0");
  return `${then.getFullYear()}-${two(then.getMonth() + 1)}-${two(then.getDate())}`;
}

/** Those whose certificate's last day lies before `day`. @param {any[]} crew @param {string} day */
export const endedBefore = (crew, day) => crew.filter(({ certificate_to: to }) => to && to < day);
