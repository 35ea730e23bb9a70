// What the way from sign-in to final doesn't meet: kept on the phone all the same, read when it is first shown.

import { useEffect, useState } from "preact/hooks";
import { html } from "./ui/html.js";

/** @type {any} */
let read = null;

export const later = async () => (read ??= await import("./views/later.js"));

/** A part of views/later.js by its name. @param {any} props */
export function Later({ of, ...props }) {
  const [parts, set] = useState(() => read);
  const [fault, fail] = useState(/** @type {any} */ (null));
  useEffect(() => void later().then(set, fail), []);
  if (fault) throw fault;
  return parts && html`<${parts[of]} ...${props} />`;
}

/** What is to be known of recusals, and for when the office planned it, where there is any. @param {any} props */
export const News = (props) =>
  (props.v.view.flags[0] || props.v.assignment.recusals || props.v.assignment.half_day) &&
  html`<${Later} of="News" ...${props} />`;

/** The mark of what an officer wrote who then stepped back. @param {any} props */
export const Mark = (props) => props.v.view.flags[0] && html`<${Later} of="Mark" ...${props} />`;

/** The browser's offer to install the app comes early, and once. */
export const offer = { event: /** @type {any} */ (null) };
addEventListener("beforeinstallprompt", (event) => {
  event.preventDefault();
  offer.event = event;
});
