// How markup is written here: htm over preact, the icons of our sprite, and the keys that move inside a radio group.

import { h } from "preact";
import htm from "htm";

export const html = htm.bind(h);

/** @param {{name: string, small?: boolean}} props an icon says nothing alone: words or a label stand beside it */
export const Icon = ({ name, small }) =>
  html`<svg class=${small ? "i s" : "i"} viewBox="0 0 24 24" aria-hidden="true">
    <use href=${`/app/icons.svg#${name}`} />
  </svg>`;

/** A state in words, shape and colour. @param {{kind: string, icon: string, children?: any}} props */
export const Tag = ({ kind, icon, children }) =>
  html`<span class=${`tag k-${kind}`}><${Icon} name=${icon} />${children}</span>`;

/** A control without words on it. @param {{icon: string, label: string, href?: string, onClick?: () => void}} props */
export const Hit = ({ icon, label, href, onClick }) =>
  href
    ? html`<a class="hit" href=${href} aria-label=${label}><${Icon} name=${icon} /></a>`
    : html`<button type="button" class="hit" aria-label=${label} onClick=${onClick}><${Icon} name=${icon} /></button>`;

const STEPS = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 };

/** Arrow keys move the focus among the radios of a group; Space and Enter choose, so that passing by answers nothing.
 * @param {KeyboardEvent} event */
export function moveInGroup(event) {
  const step = STEPS[/** @type {keyof typeof STEPS} */ (event.key)];
  const group = /** @type {HTMLElement} */ (event.currentTarget);
  if (!step) return;
  const radios = /** @type {HTMLElement[]} */ ([...group.querySelectorAll("[role=radio]")]);
  const at = radios.indexOf(/** @type {HTMLElement} */ (document.activeElement));
  radios.at((at + step) % radios.length)?.focus();
  event.preventDefault();
}

/** Two or three halves, none chosen at first.
 * @param {{label: string, options: [string, string][], value: string | null | undefined,
 *   onPick: (value: string) => void}} props */
export const Segmented = ({ label, options, value, onPick }) =>
  html`<div class="seg" role="radiogroup" aria-label=${label} onKeyDown=${moveInGroup}>
    ${options.map(
      ([id, words]) =>
        html`<button type="button" role="radio" aria-checked=${value === id} onClick=${() => onPick(id)}>
          ${words}
        </button>`,
    )}
  </div>`;

/** Halves with their label, as a field. @param {{label: string, options: [string, string][], value: any, onPick: (value: string) => void}} props */
export const Pick = (props) =>
  html`<div class="field">
    <div class="lab">${props.label}</div>
    <${Segmented} ...${props} />
  </div>`;

/** A line that one can choose. @param {{checked: boolean, title: any, note?: any, off?: boolean, many?: boolean,
 *   onPick: () => void, cls?: string, children?: any}} props */
export const Choice = ({ checked, title, note, off, many, onPick, cls = "" }) =>
  html`<button
    type="button"
    class=${`item ${cls}`}
    role=${many ? "checkbox" : "radio"}
    aria-checked=${checked}
    aria-disabled=${!!off}
    onClick=${() => off || onPick()}
  >
    <span class=${many ? "radio square" : "radio"}></span>
    <span class="grow"><span class="t">${title}</span>${note && html`<span class="d">${note}</span>`}</span>
  </button>`;
