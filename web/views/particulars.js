// What the record says besides answers and findings: who attended, how it was inspected, when the crew left.

import { act, heads } from "../store.js";
import { html, Pick } from "../ui/html.js";
import { Field } from "../ui/field.js";
import { attempt } from "../ui/live.js";
import { Sheet } from "../ui/sheet.js";
import { moment, stamp, t } from "../ui/words.js";

const METHODS = ["document_review", "site", "testing", "inquiry", "other"];
const FORMS = ["comprehensive", "risk_class", "campaign"];

/** @param {{v: import("../store.js").Visit, onClose: () => void}} props */
export function Particulars({ v, onClose }) {
  const { visit } = v.view.content;
  const set = (/** @type {string} */ field, /** @type {any} */ val) =>
    attempt(() => act(v.id, "set", ["visit", field], val, heads(v.id, ["visit", field])));
  const methods = /** @type {string[]} */ (visit.methods ?? []);
  const toggle = (/** @type {string} */ id) => {
    const next = METHODS.filter((one) => (one === id) !== methods.includes(one));
    set("methods", next.length ? next : null);
  };
  const text = (/** @type {string} */ field, /** @type {any} */ more = {}) =>
    html`<${Field}
      visit=${v.id}
      path=${["visit", field]}
      value=${visit[field]}
      label=${t(`field.visit.${field}`)}
      ...${more}
    />`;
  return html`<${Sheet} title=${t("particulars.title")} onClose=${onClose}>
    ${text("attendee")} ${text("attendee_post")}
    <fieldset>
      <legend class="lab">${t("field.visit.methods")}</legend>
      ${METHODS.map(
        (id) =>
          html`<button
            type="button"
            class="item"
            role="checkbox"
            aria-checked=${methods.includes(id)}
            onClick=${() => toggle(id)}
          >
            <span class="radio square"></span><span class="grow">${t(`method.${id}`)}</span>
          </button>`,
      )}
    </fieldset>
    <${Pick}
      label=${t("field.visit.form")}
      options=${FORMS.map((id) => [id, t(`form.${id}`)])}
      value=${visit.form}
      onPick=${(/** @type {string} */ id) => set("form", visit.form === id ? null : id)}
    />
    ${text("summary", { lines: true })}
    <div class="stack">
      <p class="small">${visit.left ? t("left.at", { time: moment(visit.left.at) }) : t("left.not")}</p>
      <button
        type="button"
        class="btn wide"
        onClick=${() => set("left", { at: stamp(), geo: null, nonce: v.assignment.nonce ?? null })}
      >
        ${t("left.go")}
      </button>
      <button type="button" class="btn main wide" onClick=${onClose}>${t("done")}</button>
    </div>
  <//>`;
}
