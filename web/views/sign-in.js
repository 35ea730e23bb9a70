// Sign in: the one thing that needs the network, and it says so.

import { useState } from "preact/hooks";
import { go } from "../router.js";
import { signIn, state } from "../store.js";
import { html } from "../ui/html.js";
import { attempt, useNow } from "../ui/live.js";
import { Notice, Page } from "../ui/page.js";
import { t } from "../ui/words.js";

export default function SignIn() {
  const [busy, setBusy] = useState(false);
  const now = useNow();
  const submit = async (/** @type {any} */ event) => {
    event.preventDefault();
    if (busy) return;
    const { username, password } = event.target.elements;
    setBusy(true);
    const done = await attempt(() => signIn(username.value.trim(), password.value));
    setBusy(false);
    if (done) go(done.enrolled || state().enrolled ? "/app/visits" : "/app/enrol", { replace: true });
  };
  return html`<${Page} title=${t("app.name")} tally=${false}>
    <form class="pad-all stack" onSubmit=${submit}>
      <div class="row">
        <span class="mark" aria-hidden="true">检</span>
        <p class="grow soft small">${t("signin.what")}</p>
      </div>
      <div>
        <label class="lab" for="username">${t("signin.username")}</label>
        <input
          class="box"
          id="username"
          name="username"
          autocomplete="username"
          autocapitalize="none"
          spellcheck=${false}
          required
        />
      </div>
      <div>
        <label class="lab" for="password">${t("signin.password")}</label>
        <input class="box" id="password" name="password" type="password" autocomplete="current-password" required />
      </div>
      <button class="btn main wide" aria-disabled=${busy}>${t(busy ? "signin.busy" : "signin.go")}</button>
      <p class="note">${t("signin.offline")}</p>
    </form>
    ${now.others.map(
      (other) =>
        html`<${Notice} kind="due" icon="s-phone">${t("others.unsent", { name: other.name, n: other.unsent })}<//>`,
    )}
    <p class="pad-all"><a class="btn quiet sm" href="/app/settings">${t("tab.settings")}</a></p>
  <//>`;
}
