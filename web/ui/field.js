// A field that saves itself within a second, over the heads that were shown when it gained the focus.

import { useEffect, useRef, useState } from "preact/hooks";
import { act, heads, setDirty } from "../store.js";
import { html, Icon, Tag } from "./html.js";
import { attempt } from "./live.js";
import { t } from "./words.js";

const PAUSE = 500; // after the last key
const MOST = 900; // after the first one that isn't saved

/** @param {{visit: string, path: string[], value: string | undefined, label: any, note?: any, lines?: boolean, type?: string,
 *   phrases?: string[], min?: string, shape?: (text: string) => any, disabled?: boolean}} props
 *   `shape` makes the value of the op from the text; an emptied field is cleared with null */
export function Field({
  visit,
  path,
  value,
  label,
  note,
  lines,
  type,
  phrases = [],
  min,
  shape = (text) => text,
  disabled,
}) {
  const id = `f-${path.join("-")}`;
  const [text, setText] = useState(/** @type {string | null} */ (null));
  const [status, setStatus] = useState("");
  const box = useRef(/** @type {HTMLTextAreaElement | null} */ (null));
  const edit = useRef({
    base: /** @type {string[] | null} */ (null),
    saved: value ?? "",
    text: value ?? "",
    first: 0,
    timer: 0,
    writing: false,
  });
  const now = edit.current;
  if (!now.first && !now.writing && text === null) now.saved = now.text = value ?? "";

  const save = async () => {
    clearTimeout(now.timer);
    if (now.writing || now.text === now.saved) return;
    now.writing = true;
    const taken = now.text;
    const said = taken.trim() === "" ? null : shape(taken.normalize("NFC"));
    const op = await attempt(() => act(visit, "set", path, said, now.base ?? heads(visit, path)));
    now.writing = false;
    if (op === undefined) return setStatus("lost");
    now.base = [op];
    now.saved = taken;
    now.first = 0;
    setDirty(now.text !== now.saved);
    setStatus("saved");
    if (now.text !== now.saved) later();
  };
  const later = () => {
    now.first ||= Date.now();
    clearTimeout(now.timer);
    now.timer = setTimeout(save, Math.max(0, Math.min(PAUSE, now.first + MOST - Date.now())));
  };
  const write = (/** @type {string} */ next) => {
    now.text = next;
    setText(next);
    setDirty(true);
    setStatus("");
    later();
  };
  const focus = () => {
    now.base ??= heads(visit, path);
  };
  const blur = async () => {
    await save();
    if (now.text !== now.saved) return;
    now.base = null;
    setText(null);
  };
  useEffect(() => {
    const hide = () => document.visibilityState === "hidden" && save();
    document.addEventListener("visibilitychange", hide);
    addEventListener("pagehide", save);
    return () => {
      document.removeEventListener("visibilitychange", hide);
      removeEventListener("pagehide", save);
      save();
    };
  }, []);

  const common = {
    id,
    class: "box",
    ref: box,
    value: text ?? value ?? "",
    disabled,
    "aria-describedby": note ? `${id}-note` : undefined,
    onFocus: focus,
    onBlur: blur,
    onInput: (/** @type {any} */ event) => {
      if (event.isComposing) {
        now.text = event.target.value;
        setText(now.text);
      } else write(event.target.value);
    },
    onCompositionEnd: (/** @type {any} */ event) => write(event.target.value),
  };
  return html`<div class="field">
    <div class="lab">
      <label for=${id}>${label}</label>
      ${status === "saved" && html`<span class="end"><${Tag} kind="saved" icon="s-phone">${t("state.saved")}<//></span>`}
      ${status === "lost" && html`<span class="end"><${Tag} kind="attention" icon="s-alert">${t("state.lost")}<//></span>`}
    </div>
    ${lines ? html`<textarea ...${common} rows="2"></textarea>` : html`<input ...${common} type=${type ?? "text"} min=${min} autocomplete="off" />`}
    ${note && html`<p class="note" id=${`${id}-note`}>${note}</p>`}
    ${
      phrases.length > 0 &&
      html`<div class="chips" role="group" aria-label=${t("phrases")}>
        ${phrases.map(
          (phrase) =>
            html`<button
              type="button"
              class="chip"
              onClick=${() => {
                focus();
                write(join(now.text, phrase));
              }}
            >
              ${phrase}
            </button>`,
        )}
      </div>`
    }
  </div>`;
}

/** @param {string} text @param {string} phrase */
const join = (text, phrase) => (text && !/[，。；、,.;\s]$/.test(text) ? `${text}，${phrase}` : text + phrase);

/** A yes that one ticks. @param {{checked: boolean, title: any, note?: any, onToggle: (on: boolean) => void}} props */
export const Tick = ({ checked, title, note, onToggle }) =>
  html`<button type="button" class="item" role="checkbox" aria-checked=${checked} onClick=${() => onToggle(!checked)}>
    <span class=${`ink k-${checked ? "pass" : "calm"}`}><${Icon} name=${checked ? "pass" : "open"} /></span>
    <span class="grow"><span class="t">${title}</span>${note && html`<span class="d">${note}</span>`}</span>
  </button>`;
