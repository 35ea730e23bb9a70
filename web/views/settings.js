// Settings: language, theme, text size; this phone, the way out, and what this is.

import { useState } from "preact/hooks";
import { go } from "../router.js";
import { signOut } from "../store.js";
import { ExportButton } from "../ui/export.js";
import { html, Pick } from "../ui/html.js";
import { InstallButton } from "../ui/install.js";
import { attempt, useNow } from "../ui/live.js";
import { Item, Notice, Page, Section } from "../ui/page.js";
import { prefs, setPref } from "../ui/prefs.js";
import { Sheet } from "../ui/sheet.js";
import { moment, t } from "../ui/words.js";

export default function Settings() {
  const now = useNow();
  const [leaving, setLeaving] = useState(/** @type {{unsent: number, confirm: string} | null} */ (null));
  const chosen = prefs();
  const leave = async (/** @type {string | undefined} */ typed = undefined) => {
    const answer = await attempt(() => signOut(typed));
    if (!answer) return;
    if (answer.done) return go("/app/sign-in", { replace: true });
    setLeaving(answer);
  };
  /** @param {"lang" | "theme" | "text"} name @param {[string, string][]} options */
  const pick = (name, options) =>
    html`<${Pick}
      label=${t(`settings.${name}`)}
      options=${options}
      value=${chosen[name]}
      onPick=${(/** @type {string} */ value) => setPref(name, value)}
    />`;
  return html`<${Page}
    title=${t("tab.settings")}
    tab=${now.officer ? "settings" : undefined}
    back=${now.officer ? undefined : "/app/sign-in"}
    tally=${false}
  >
    ${now.update_ready && html`<${Notice} kind="now" icon="s-sending" title=${t("update.ready")}>${t("update.next")}<//>`}
    <${Section} title=${t("settings.look")}>
      ${pick(
        "theme",
        ["auto", "light", "dark", "sun"].map((id) => [id, t(`theme.${id}`)]),
      )}
      ${pick(
        "text",
        ["standard", "large", "largest"].map((id) => [id, t(`text.${id}`)]),
      )}
      ${pick("lang", [
        ["zh-CN", t("lang.zh")],
        ["en", t("lang.en")],
      ])}
    <//>
    ${
      now.officer &&
      html`<${Section} title=${t("settings.me")}>
        <${Item}
          icon="people"
          title=${now.officer.name}
          note=${t("settings.account", { name: now.officer.username })}
        />
        <${Item}
          icon="s-phone"
          title=${now.phone || t("settings.phone")}
          note=${html`<span class="code">${now.rid.slice(0, 8)}</span>${now.proven_at ? ` · ${t("outbox.proven", { time: moment(now.proven_at) })}` : ""}`}
        />
      <//>`
    }
    <section>
      <h2 class="sect">${t("settings.about")}</h2>
      <div class="sheet pad-all stack">
        <p class="small">${t("about.text")}</p>
        <p class="note">${t("about.version", { version: document.documentElement.dataset.version ?? "0.1.0" })}</p>
        <${InstallButton} />
        <${ExportButton} wide />
        ${now.officer && html`<button type="button" class="btn wide" onClick=${() => leave()}>${t("signout")}</button>`}
      </div>
    </section>
    ${leaving && html`<${Leaving} leaving=${leaving} onGo=${leave} onClose=${() => setLeaving(null)} />`}
  <//>`;
}

/** Unsent things stay on the phone; leaving still wants a typed number. */
function Leaving(
  /** @type {{leaving: {unsent: number, confirm: string}, onGo: (typed: string) => void, onClose: () => void}} */ props,
) {
  const { leaving, onGo, onClose } = props;
  const [typed, setTyped] = useState("");
  return html`<${Sheet} title=${t("signout.unsent", { n: leaving.unsent })} onClose=${onClose}>
    <div class="stack">
      <p class="small">${t("signout.note")}</p>
      <${ExportButton} wide />
      <div>
        <label class="lab" for="typed">${t("signout.type", { text: leaving.confirm })}</label>
        <input
          class="box"
          id="typed"
          inputmode="numeric"
          autocomplete="off"
          value=${typed}
          onInput=${(/** @type {any} */ event) => setTyped(event.target.value)}
        />
      </div>
      <button
        type="button"
        class="btn wide"
        aria-disabled=${typed.trim() !== leaving.confirm}
        onClick=${() => typed.trim() === leaving.confirm && onGo(typed.trim())}
      >
        ${t("signout")}
      </button>
    </div>
  <//>`;
}
