// What people read: messages as data, and numbers, days and sizes as people say them.

import zh from "../messages/zh-CN.js";

/** @type {Record<string, string>} */
let messages = zh;
let lang = "zh-CN";

/** Adds the Chinese messages of screens that came later. @param {Record<string, string>} more */
export const learn = (more) => Object.assign(zh, more);

/** English is fetched only by those who want it. @param {string} wanted */
export async function speak(wanted) {
  messages = wanted === "en" ? (await import("../messages/en.js")).default : zh;
  lang = wanted === "en" ? "en" : "zh-CN";
  document.documentElement.lang = lang;
}

export const language = () => lang;

/** @param {string} key */
export const has = (key) => key in messages;

/** A message with its gaps filled: `{n}`, or `{n|point|points}` where one differs from many. A missing message shows
 * its key in white brackets, which every test of the screens looks for.
 * @param {string} key @param {Record<string, any>} [values] @returns {string} */
export function t(key, values = {}) {
  const text = messages[key];
  if (text === undefined) return `⟦${key}⟧`;
  return text.replace(/\{(\w+)(?:\|([^|}]*)\|([^}]*))?\}/g, (_, name, one, many) =>
    many === undefined ? String(values[name] ?? "") : `${values[name]} ${values[name] === 1 ? one : many}`,
  );
}

/** The word for an id of ours; what we don't know is shown as it is. @param {string} group @param {any} id */
export const word = (group, id) => (has(`${group}.${id}`) ? t(`${group}.${id}`) : String(id));

/** A message whose `{gap}`s are filled with markup. @param {string} key @param {Record<string, any>} values */
export function parts(key, values) {
  return (messages[key] ?? `⟦${key}⟧`).split(/\{(\w+)\}/).map((part, i) => (i % 2 ? values[part] : part));
}

/** Facts beside each other. @param {any[]} facts */
export const dots = (facts) => facts.filter(Boolean).join(" · ");

/** @param {any[]} names */
export const list = (names) => names.filter(Boolean).join(t("list.and"));

const timeZone = "Asia/Shanghai";

/** Times that people read are Beijing time, whatever the phone's zone.
 * @param {string | number | Date} when @param {Intl.DateTimeFormatOptions} shape */
function format(when, shape) {
  const date = new Date(when);
  return Number.isNaN(date.getTime())
    ? String(when)
    : new Intl.DateTimeFormat(lang, { timeZone, ...shape }).format(date);
}

/** 2026-11-24 @param {string | number | Date} [when] */
export const isoDay = (when = Date.now()) => new Intl.DateTimeFormat("sv-SE", { timeZone }).format(new Date(when));

/** 14:03 @param {string | number | Date} when */
export const clock = (when, seconds = false) =>
  format(when, { hour: "2-digit", minute: "2-digit", hourCycle: "h23", ...(seconds && { second: "2-digit" }) });

/** 11月24日 @param {string | number | Date} when */
export const day = (when) => format(when, { month: lang === "en" ? "short" : "long", day: "numeric" });

/** 11月24日 周二 @param {string | number | Date} when */
export const weekday = (when) => `${day(when)} ${format(when, { weekday: "short" })}`;

/** 2026年11月24日 @param {string | number | Date} when */
export const date = (when) => format(when, { year: "numeric", month: "long", day: "numeric" });

/** @param {string | number | Date} when */
export const isToday = (when) => isoDay(when) === isoDay();

/** The clock today, the day before. @param {string | number | Date} when */
export const moment = (when) => (isToday(when) ? clock(when) : `${day(when)} ${clock(when)}`);

/** @param {string} when */
export function ago(when) {
  const minutes = Math.round((Date.now() - Date.parse(when)) / 60000);
  if (minutes < 1) return t("ago.now");
  return minutes < 60 ? t("ago.minutes", { n: minutes }) : moment(when);
}

/** @param {number} bytes */
export const size = (bytes) =>
  bytes < 1e5
    ? `${Math.max(1, Math.round(bytes / 1e3))} KB`
    : bytes < 1e9
      ? `${(bytes / 1e6).toFixed(1)} MB`
      : `${(bytes / 1e9).toFixed(1)} GB`;

const NUMERALS = "零一二三四五六七八九十";

/** 二、 in Chinese, 2. in English. @param {number} n */
export const ordinal = (n) =>
  lang === "en"
    ? `${n}. `
    : `${n < 11 ? NUMERALS[n] : `${n < 20 ? "" : NUMERALS[Math.floor(n / 10)]}十${n % 10 ? NUMERALS[n % 10] : ""}`}、`;

/** RFC 3339 with this phone's offset. */
export function stamp(when = new Date()) {
  const minutes = -when.getTimezoneOffset();
  const two = (/** @type {number} */ n) => String(Math.floor(Math.abs(n))).padStart(2, "0");
  const local = new Date(when.getTime() + minutes * 60000).toISOString().slice(0, 19);
  return `${local}${minutes < 0 ? "-" : "+"}${two(minutes / 60)}:${two(minutes % 60)}`;
}
