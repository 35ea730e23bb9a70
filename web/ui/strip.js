// The check strip: the short code that a group compares by eye before anyone signs.

import { html } from "./html.js";
import { t } from "./words.js";

/** @param {{code: string | null, say: string}} props without a code (two versions are open) it says so */
export const Strip = ({ code, say }) =>
  html`<div class="strip">
    <span class="seal" aria-hidden="true">核对</span>
    <span class="torn grow"><span class="code">${code ?? t("strip.none")}</span><span class="say">${say}</span></span>
  </div>`;
