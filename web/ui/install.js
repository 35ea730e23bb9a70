// "Add to the home screen", where the browser offers it; elsewhere a sentence on how.

import { useState } from "preact/hooks";
import { offer } from "../later.js";
import { html, Icon } from "./html.js";
import { t } from "./words.js";

export function InstallButton() {
  const [can, setCan] = useState(!!offer.event);
  if (matchMedia("(display-mode: standalone)").matches) return html`<p class="note">${t("install.done")}</p>`;
  if (!can) return html`<p class="note">${t("install.how")}</p>`;
  const install = async () => {
    await offer.event.prompt();
    offer.event = null;
    setCan(false);
  };
  return html`<button type="button" class="btn wide" onClick=${install}>
    <${Icon} name="plus" small />${t("install.go")}
  </button>`;
}
