// Beside the checklist: search, its sections with how far each is, and who does which.

import { useState } from "preact/hooks";
import { act, heads } from "../store.js";
import { Hit, html } from "../ui/html.js";
import { attempt } from "../ui/live.js";
import { Item } from "../ui/page.js";
import { Sheet } from "../ui/sheet.js";
import { ordinal, t } from "../ui/words.js";
import { answeredIn, answerOf, crewOf, partsOf } from "../reading.js";
import { Other, whoDoes } from "./checklist.js";

/** @typedef {import("../store.js").Visit} Visit */
/** @typedef {import("../reading.js").Point} Point */

/** @param {{v: Visit, points: Point[], onPick: (point: Point) => void, onClose: () => void}} props */
export function Search({ v, points, onPick, onClose }) {
  const [text, setText] = useState("");
  const found = text.trim()
    ? points.filter((point) => `${point.no} ${point.text} ${point.basis ?? ""}`.includes(text.trim()))
    : [];
  return html`<${Sheet} title=${t("checklist.search")} onClose=${onClose}>
    <label class="lab" for="search">${t("checklist.search.label")}</label>
    <input
      class="box"
      id="search"
      type="search"
      autofocus
      value=${text}
      onInput=${(/** @type {any} */ event) => setText(event.target.value)}
    />
    <p class="note" aria-live="polite">${text.trim() && t("checklist.found", { n: found.length })}</p>
    <div>${found.map((point) => html`<${Other} v=${v} point=${point} onPick=${() => onPick(point)} />`)}</div>
  <//>`;
}

/** Sections, how far each is, and whose it is; the leader shares them out. @param {{v: Visit, onPick: (point: Point) => void, onClose: () => void}} props */
export function Parts({ v, onPick, onClose }) {
  const [sharing, setSharing] = useState("");
  if (sharing) return html`<${Share} v=${v} part=${sharing} onClose=${() => setSharing("")} />`;
  return html`<${Sheet} title=${t("checklist.parts")} onClose=${onClose}>
    ${partsOf(v.template).map(
      (part) =>
        html`<div class="row">
          <span class="grow"
            ><${Item}
              title=${ordinal(part.n) + part.name}
              note=${t("checklist.sub", { who: whoDoes(v, part.name), done: answeredIn(v, part.points), all: part.points.length })}
              onClick=${() => onPick(part.points.find(({ id }) => answerOf(v, id) === "open") ?? part.points[0])}
          /></span>
          ${v.leader && html`<${Hit} icon="people" label=${t("checklist.share", { part: part.name })} onClick=${() => setSharing(part.name)} />`}
        </div>`,
    )}
  <//>`;
}

/** @param {{v: Visit, part: string, onClose: () => void}} props */
function Share({ v, part, onClose }) {
  const path = ["visit", `section:${part}`];
  const [base] = useState(() => heads(v.id, path));
  const [ids, setIds] = useState(/** @type {string[]} */ (v.view.content.visit[path[1]] ?? []));
  const save = async () => (await attempt(() => act(v.id, "set", path, ids.length ? ids : null, base))) && onClose();
  return html`<${Sheet} title=${t("checklist.share", { part })} onClose=${onClose}>
    ${crewOf(v).map(
      (/** @type {any} */ one) =>
        html`<button
          type="button"
          class="item"
          role="checkbox"
          aria-checked=${ids.includes(one.officer)}
          onClick=${() => setIds(ids.includes(one.officer) ? ids.filter((id) => id !== one.officer) : [...ids, one.officer])}
        >
          <span class="radio square"></span><span class="grow t">${one.name}</span>
        </button>`,
    )}
    <button type="button" class="btn main wide" onClick=${save}>${t("save")}</button>
  <//>`;
}
