// One history, read in JavaScript: the same in node and in a browser.

import { canonical, hashOf, opId } from "../../web/ops.js";
import { viewOf } from "../../web/view.js";

/** What differs from what Python makes of the history: nothing, or the first member that does. */
export async function differenceIn({ seed, frame, facts, entries, expect }) {
  const view = await viewOf(entries, frame, { ...facts, here: new Set(facts.here) });
  for (const key of new Set([...Object.keys(expect.view), ...Object.keys(view)])) {
    const [python, javascript] = [expect.view[key], view[key]].map((it) => canonical(it ?? null));
    if (python !== javascript) return { seed, key, python, javascript };
  }
  for (const { op } of entries) {
    if (!op) continue;
    const [python, javascript] = [expect.hashes[opId(op)], await hashOf(op)];
    if (python !== javascript) return { seed, key: opId(op), python, javascript };
  }
  return null;
}
