// Language, theme and text size: kept on this phone, applied to the root element.

import { speak } from "./words.js";

const DEFAULTS = { lang: "zh-CN", theme: "auto", text: "standard" };
const KEY = "suijian.prefs";
/** @typedef {keyof typeof DEFAULTS} Pref */

/** @returns {typeof DEFAULTS} */
export function prefs() {
  try {
    return { ...DEFAULTS, ...JSON.parse(localStorage.getItem(KEY) ?? "{}") };
  } catch {
    return DEFAULTS; // A phone that forbids storage here still works, in the standard look.
  }
}

const dark = matchMedia("(prefers-color-scheme: dark)");

export async function applyPrefs() {
  const { lang, theme, text } = prefs();
  const root = document.documentElement.dataset;
  root.theme = theme === "auto" ? (dark.matches ? "dark" : "light") : theme;
  root.text = text;
  await speak(lang);
}

/** @param {Pref} name @param {string} value */
export async function setPref(name, value) {
  localStorage.setItem(KEY, JSON.stringify({ ...prefs(), [name]: value }));
  await applyPrefs();
  dispatchEvent(new Event("prefs"));
}

dark.addEventListener("change", applyPrefs);
