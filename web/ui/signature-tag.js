// A signature's state: straight, wavy or dashed line under the pen, with its word.

import { html, Tag } from "./html.js";
import { t } from "./words.js";

const LOOK = {
  current: ["server", "g-current"],
  stale: ["due", "g-stale"],
  weak: ["due", "g-weak"],
  awaiting_image: ["calm", "g-waiting"],
  awaiting_ops: ["calm", "g-waiting"],
  invalid: ["attention", "s-broken"],
  refused: ["calm", "g-refused"],
  none: ["calm", "g-none"],
};

/** @param {{state: string}} props */
export const SignatureTag = ({ state }) => {
  const [kind, icon] = LOOK[/** @type {keyof typeof LOOK} */ (state)] ?? LOOK.none;
  return html`<${Tag} kind=${kind} icon=${icon}>${t(`signature.${state}`)}<//>`;
};
