// What changed since somebody signed: exactly those changes, and the code before and after.

import { changesSince } from "../store.js";
import { html } from "../ui/html.js";
import { useLive } from "../ui/live.js";
import { Notice } from "../ui/page.js";
import { t } from "../ui/words.js";
import { myId } from "../reading.js";
import { pathWords, valueWords } from "../naming.js";
import { signatureOf } from "./record.js";

/** @typedef {import("../store.js").Visit} Visit */

/** What changed since others and oneself signed: exactly those changes. @param {{v: Visit}} props */
export function Changed({ v }) {
  const stale = v.view.signatures.filter(
    (/** @type {any} */ one) => one.state === "stale" && signatureOf(v, one.signer)?.op === one.op,
  );
  const mine = stale.find((/** @type {any} */ one) => one.signer === myId()) ?? stale[0];
  const changes = useLive(() => (mine ? changesSince(v.id, mine.op) : []), [v.id, mine?.op]);
  if (!mine || !changes) return null;
  return html`<${Notice}
    kind="due"
    icon="g-stale"
    title=${t("record.changed", { n: changes.length, people: stale.length })}
  >
    <ul>
      ${changes.map(
        ({ path, then, now }) =>
          html`<li>
            ${pathWords(v, path)}${t("colon")}<ins>${changeWords(v, path, now)}</ins>${t("paren", { text: t("record.was", { text: changeWords(v, path, then) }) })}
          </li>`,
      )}
    </ul>
    ${mine.digest && v.view.short && html`<p>${t("record.codes")} <span class="code">${short(mine.digest)}</span> → <span class="code">${v.view.short}</span></p>`}
  <//>`;
}

/** @param {string} digest */
const short = (digest) => `${digest.slice(0, 4)}-${digest.slice(4, 8)}`.toUpperCase();

/** @param {Visit} v @param {string[]} path @param {any} val whole rows and photos change too */
const changeWords = (v, path, val) =>
  val !== null && typeof val === "object" && !Array.isArray(val) && path.length < 3 && path[0] !== "visit"
    ? val.text || t("value.there")
    : valueWords(
        v,
        path.length < 2 ? [path[0], ""] : path,
        typeof val === "object" && path[0] !== "visit" ? null : val,
      );
