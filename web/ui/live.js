// How a screen stays true: it reads the store again after every change, and what changed is said once, politely.

import { useEffect, useState } from "preact/hooks";
import { state, subscribe } from "../store.js";
import { has, t } from "./words.js";

/** The value of an asynchronous read, read again whenever the store changes; undefined until it first came.
 * @template T @param {() => Promise<T> | T} read @param {any[]} deps @returns {T | undefined} */
export function useLive(read, deps = []) {
  const [got, set] = useState(/** @type {{value?: T, error?: any, key: string} | null} */ (null));
  const key = deps.join("\n");
  useEffect(() => {
    let on = true;
    let busy = false;
    let again = false;
    const run = async () => {
      again = true;
      if (busy) return;
      busy = true;
      while (again && on) {
        again = false;
        try {
          const value = await read();
          if (on) set({ value, key });
        } catch (error) {
          if (on) set({ error, key });
        }
      }
      busy = false;
    };
    run();
    const off = subscribe(run);
    return () => {
      on = false;
      off();
    };
  }, deps);
  if (got?.error) throw got.error;
  return got?.key === key ? got.value : undefined;
}

/** The store's snapshot. */
export function useNow() {
  const [now, set] = useState(state);
  useEffect(() => subscribe(() => set({ ...state() })), []);
  return now;
}

let region = /** @type {HTMLElement | null} */ (null);
let waiting = "";
let quietUntil = 0;

/** Says it to a screen reader; at most once in ten seconds, the latest wins. @param {string} text */
export function say(text) {
  if (!region) {
    region = document.createElement("div");
    region.className = "vh";
    region.setAttribute("aria-live", "polite");
    document.body.append(region);
  }
  if (!waiting) {
    setTimeout(
      () => {
        if (region) region.textContent = waiting;
        quietUntil = Date.now() + 10000;
        waiting = "";
      },
      Math.max(0, quietUntil - Date.now()),
    );
  }
  waiting = text;
}

/** @type {Set<(problem: string | null) => void>} */
const listeners = new Set();

/** Runs what a tap began; if it fails, the page says what happened and what is safe.
 * @template T @param {() => Promise<T>} work @returns {Promise<T | undefined>} */
export async function attempt(work) {
  try {
    tell(null);
    return await work();
  } catch (error) {
    tell(explain(error));
    return undefined;
  }
}

/** The codes of "nobody answered". */
const AWAY = ["no_answer", "error", "TypeError", "TimeoutError", "AbortError"];

/** @param {any} error a problem of ours has a code; anything else is told with its own words in small */
export function explain(error) {
  if (AWAY.includes(error?.code)) return t("problem.offline");
  if (has(`problem.${error?.code}`)) return t(`problem.${error.code}`);
  return t("problem.other", { detail: error?.message ?? String(error) });
}

/** @param {string | null} problem */
const tell = (problem) => listeners.forEach((listener) => listener(problem));

export function useProblem() {
  const [problem, set] = useState(/** @type {string | null} */ (null));
  useEffect(() => {
    listeners.add(set);
    return () => void listeners.delete(set);
  }, []);
  return /** @type {const} */ ([problem, () => set(null)]);
}
