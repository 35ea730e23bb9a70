// The rescue export: everything that this phone still holds alone, as one file, always within reach.

import { exportQueue } from "../store.js";
import { html, Icon } from "./html.js";
import { attempt } from "./live.js";
import { t } from "./words.js";

/** @param {{officer?: string, wide?: boolean}} props */
export function ExportButton({ officer, wide }) {
  const save = () =>
    attempt(async () => {
      const blob = await exportQueue(officer);
      const link = document.createElement("a");
      link.href = URL.createObjectURL(blob);
      link.download = `suijian-${new Date().toISOString().slice(0, 16).replace(/[:T]/g, "")}.tar`;
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 60000);
    });
  return html`<button type="button" class=${wide ? "btn wide" : "btn grow"} onClick=${save}>
    <${Icon} name="share" small />${t("export")}
  </button>`;
}
