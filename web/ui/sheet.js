// A sheet over the page (a dialog on wide screens): Escape, the veil and the cross close it, the focus returns.

import { useEffect, useRef } from "preact/hooks";
import { Hit, html } from "./html.js";
import { t } from "./words.js";

/** @param {{title: any, onClose: () => void, children?: any}} props */
export function Sheet({ title, onClose, children }) {
  const dialog = useRef(/** @type {HTMLDialogElement | null} */ (null));
  useEffect(() => {
    dialog.current?.showModal();
  }, []);
  return html`<dialog
    ref=${dialog}
    aria-labelledby="sheet-title"
    onCancel=${(/** @type {Event} */ event) => (event.preventDefault(), onClose())}
    onClick=${(/** @type {MouseEvent} */ event) => event.target === dialog.current && onClose()}
  >
    <header>
      <h2 id="sheet-title" class="grow">${title}</h2>
      <${Hit} icon="close" label=${t("close")} onClick=${onClose} />
    </header>
    ${children}
  </dialog>`;
}
