// Beside a finding: striking it with a reason, and the point that it belongs to.

import { useState } from "preact/hooks";
import { go } from "../router.js";
import { act } from "../store.js";
import { html } from "../ui/html.js";
import { attempt } from "../ui/live.js";
import { Item } from "../ui/page.js";
import { Sheet } from "../ui/sheet.js";
import { t } from "../ui/words.js";
import { pointsOf } from "../reading.js";

/** @param {{v: import("../store.js").Visit, onPick: (point: string | null) => void, onClose: () => void}} props */
export const PointOf = ({ v, onPick, onClose }) =>
  html`<${Sheet} title=${t("field.finding.point")} onClose=${onClose}>
    <${Item} title=${t("finding.no_point")} onClick=${() => (onPick(null), onClose())} />
    ${pointsOf(v.template).map(({ id, no, text }) => html`<${Item} title=${no} note=${text} onClick=${() => (onPick(id), onClose())} />`)}
  <//>`;

/** @param {{v: import("../store.js").Visit, one: import("../reading.js").Finding, stay?: boolean, onClose: () => void}} props */
export function Strike({ v, one, stay, onClose }) {
  const [reason, setReason] = useState("");
  const strike = async () => {
    if (!reason.trim()) return;
    const done = await attempt(() =>
      act(v.id, "del", ["finding", one.row], { reason: reason.trim().normalize("NFC") }),
    );
    if (done && stay) onClose();
    else if (done) go(`/app/visits/${v.id}/findings`);
  };
  return html`<${Sheet} title=${t("finding.strike")} onClose=${onClose}>
    <div class="stack">
      <p class="small soft">${t("finding.strike.note")}</p>
      <div>
        <label class="lab" for="strike">${t("finding.strike.reason")}</label>
        <textarea
          class="box"
          id="strike"
          value=${reason}
          onInput=${(/** @type {any} */ event) => setReason(event.target.value)}
        ></textarea>
      </div>
      <button type="button" class="btn wide" aria-disabled=${!reason.trim()} onClick=${strike}>
        ${t("finding.strike.go")}
      </button>
    </div>
  <//>`;
}
