// Enrol the phone: it gets a name and its own key, asks to keep its data, and may be put on the home screen.

import { useState } from "preact/hooks";
import { InstallButton } from "../ui/install.js";
import { go } from "../router.js";
import { enrol } from "../store.js";
import { html, Icon } from "../ui/html.js";
import { attempt, useNow } from "../ui/live.js";
import { Item, Page } from "../ui/page.js";
import { t } from "../ui/words.js";

const WORKS = ["enrol.works.visits", "enrol.works.record", "enrol.works.sign"];

export default function Enrol() {
  const { officer, enrolled } = useNow();
  const [busy, setBusy] = useState(false);
  const submit = async (/** @type {any} */ event) => {
    event.preventDefault();
    if (busy) return;
    setBusy(true);
    await attempt(() => enrol(event.target.elements.phone.value.trim().normalize("NFC")));
    setBusy(false);
  };
  if (enrolled) {
    return html`<${Page}
      title=${t("enrol.done")}
      tally=${false}
      dock=${html`<button type="button" class="btn main wide" onClick=${() => go("/app/visits", { replace: true })}>${t("enrol.begin")}</button>`}
    >
      <div class="sheet">
        ${WORKS.map((key) => html`<${Item} icon="pass" kind="pass" title=${t(key)} note=${t(`${key}.note`)} />`)}
        <${Item} icon="offline" title=${t("enrol.needs")} note=${t("enrol.needs.note")} />
      </div>
      <div class="pad-all"><${InstallButton} /></div>
    <//>`;
  }
  return html`<${Page} title=${t("enrol.title")} sub=${officer?.name} tally=${false}>
    <form class="pad-all stack" onSubmit=${submit}>
      <p class="soft">${t("enrol.why")}</p>
      <div>
        <label class="lab" for="phone">${t("enrol.name")}</label>
        <input
          class="box"
          id="phone"
          name="phone"
          autocomplete="off"
          required
          maxlength="40"
          value=${t("enrol.default", { name: officer?.name ?? "" })}
        />
      </div>
      <button class="btn main wide" aria-disabled=${busy}>
        <${Icon} name="s-phone" />${t(busy ? "enrol.busy" : "enrol.go")}
      </button>
      <p class="note">${t("enrol.persist")}</p>
    </form>
  <//>`;
}
