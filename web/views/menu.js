// The menu of a visit: one tap for bright sun.

import { html } from "../ui/html.js";
import { Item } from "../ui/page.js";
import { setPref } from "../ui/prefs.js";
import { Sheet } from "../ui/sheet.js";
import { t } from "../ui/words.js";

/** @param {{onClose: () => void}} props */
export function Menu({ onClose }) {
  const choose = (/** @type {string} */ theme) => (setPref("theme", theme), onClose());
  return html`<${Sheet} title=${t("more")} onClose=${onClose}>
    <${Item} icon="gear" title=${t("theme.sun.on")} note=${t("theme.sun.note")} onClick=${() => choose("sun")} />
    <${Item} icon="book" title=${t("theme.auto.on")} onClick=${() => choose("auto")} />
  <//>`;
}
