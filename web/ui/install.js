// "Add to the home screen", where the browser offers it; elsewhere a sentence on how.

import { useEffect, useState } from "preact/hooks";
import { html, Icon } from "./html.js";
import { t } from "./words.js";

/** @type {any} */
let offer = null;
addEventListener("beforeinstallprompt", (event) => {
  event.preventDefault();
  offer = event;
  dispatchEvent(new Event("installable"));
});

export function InstallButton() {
  const [can, setCan] = useState(!!offer);
  useEffect(() => {
    const ready = () => setCan(!!offer);
    addEventListener("installable", ready);
    return () => removeEventListener("installable", ready);
  }, []);
  if (matchMedia("(display-mode: standalone)").matches) return html`<p class="note">${t("install.done")}</p>`;
  if (!can) return html`<p class="note">${t("install.how")}</p>`;
  const install = async () => {
    await offer.prompt();
    offer = null;
    setCan(false);
  };
  return html`<button type="button" class="btn wide" onClick=${install}>
    <${Icon} name="plus" small />${t("install.go")}
  </button>`;
}
