// Beside the result: the visit's main one among several items, attempts to reach, circumstances, follow-up.

import { useState } from "preact/hooks";
import { act, heads } from "../store.js";
import { Choice, html, moveInGroup } from "../ui/html.js";
import { attempt } from "../ui/live.js";
import { Item, Notice } from "../ui/page.js";
import { Sheet } from "../ui/sheet.js";
import { moment, stamp, t } from "../ui/words.js";

/** @typedef {import("../store.js").Visit} Visit */
const WAYS = ["phone", "visit", "letter", "neighbour", "other"];
const CIRCUMSTANCES = ["entry_refused", "material_refused", "untrue_material", "other_obstruction"];

/** @param {{v: Visit, can: string[], onChoose: (type: string) => void}} props */
export const Main = ({ v, can, onChoose }) =>
  html`<section>
    <h2 class="sect">${t("result.main")}</h2>
    ${
      can.length
        ? html`<div class="sheet" role="radiogroup" aria-label=${t("result.main")} onKeyDown=${moveInGroup}>
            ${can.map((type) => html`<${Choice} checked=${v.view.content.visit.result === type} title=${t(`result.${type}`)} onPick=${() => onChoose(type)} />`)}
          </div>`
        : html`<${Notice} kind="due" icon="s-alert">${t("why.main")}<//>`
    }
  </section>`;

/** One act over the heads that were shown when the sheet opened. @param {Visit} v @param {string} field */
function useWrite(v, field) {
  const [base] = useState(() => heads(v.id, ["visit", field]));
  const [last, setLast] = useState(base);
  return async (/** @type {any} */ val) => {
    const op = await attempt(() => act(v.id, "set", ["visit", field], val, last));
    if (op) setLast([op]);
    return op;
  };
}

/** @param {{v: Visit, onClose: () => void}} props */
export function Attempts({ v, onClose }) {
  const write = useWrite(v, "attempts");
  const made = /** @type {any[]} */ (v.view.content.visit.attempts ?? []);
  const add = async (/** @type {any} */ event) => {
    event.preventDefault();
    const { way, result } = event.target.elements;
    const said = result.value.trim().normalize("NFC");
    if (!said) return;
    if (await write([...made, { at: stamp(), way: way.value, result: said, by: v.view.leader }])) event.target.reset();
  };
  return html`<${Sheet} title=${t("attempts.title")} onClose=${onClose}>
    <p class="small soft">${t("attempts.note")}</p>
    ${made.map((one) => html`<${Item} icon="pass" kind="pass" title=${`${moment(one.at)} ${t(`way.${one.way}`)}`} note=${one.result} />`)}
    <form class="stack" onSubmit=${add}>
      <div>
        <label class="lab" for="way">${t("attempts.way")}</label>
        <select class="box" id="way" name="way">
          ${WAYS.map((id) => html`<option value=${id}>${t(`way.${id}`)}</option>`)}
        </select>
      </div>
      <div>
        <label class="lab" for="how">${t("attempts.result")}</label
        ><input class="box" id="how" name="result" required />
      </div>
      <button class="btn main wide">${t("attempts.add")}</button>
    </form>
  <//>`;
}

/** @param {{v: Visit, onClose: () => void}} props */
export function Circumstances({ v, onClose }) {
  const write = useWrite(v, "noncooperation");
  const said = v.view.content.visit.noncooperation;
  const [ids, setIds] = useState(/** @type {string[]} */ (said?.circumstances ?? []));
  const [text, setText] = useState(said?.text ?? "");
  const next = ids.length ? { circumstances: ids, text: text.trim().normalize("NFC") } : null;
  const save = async () => (next || said) && (await write(next)) && onClose();
  return html`<${Sheet} title=${t("circumstances.title")} onClose=${onClose}>
    <div class="stack">
      <div>
        ${CIRCUMSTANCES.map((id) => html`<${Choice} many checked=${ids.includes(id)} title=${t(`circumstance.${id}`)} onPick=${() => setIds(ids.includes(id) ? ids.filter((one) => one !== id) : [...ids, id])} />`)}
      </div>
      <div>
        <label class="lab" for="circumstance">${t("circumstances.text")}</label>
        <textarea
          class="box"
          id="circumstance"
          value=${text}
          onInput=${(/** @type {any} */ event) => setText(event.target.value)}
        ></textarea>
      </div>
      <button type="button" class="btn main wide" aria-disabled=${!next && !said} onClick=${save}>${t("save")}</button>
    </div>
  <//>`;
}

/** @param {{v: Visit, onClose: () => void}} props */
export function Followup({ v, onClose }) {
  const write = useWrite(v, "followup");
  const said = v.view.content.visit.followup ?? {};
  const save = async (/** @type {any} */ event) => {
    event.preventDefault();
    const { owner, due, text } = event.target.elements;
    const val = {
      owner: owner.value.trim().normalize("NFC"),
      due: due.value,
      text: text.value.trim().normalize("NFC"),
    };
    if (val.owner && val.due && (await write(val))) onClose();
  };
  return html`<${Sheet} title=${t("followup.title")} onClose=${onClose}>
    <form class="stack" onSubmit=${save}>
      <div>
        <label class="lab" for="owner">${t("followup.owner")}</label
        ><input class="box" id="owner" name="owner" required value=${said.owner ?? ""} />
      </div>
      <div>
        <label class="lab" for="due">${t("followup.due")}</label
        ><input class="box" id="due" name="due" type="date" required value=${said.due ?? ""} />
      </div>
      <div>
        <label class="lab" for="text">${t("followup.text")}</label
        ><textarea class="box" id="text" name="text">${said.text ?? ""}</textarea>
      </div>
      <button class="btn main wide">${t("save")}</button>
    </form>
  <//>`;
}
