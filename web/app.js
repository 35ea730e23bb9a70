// Where the app begins: the store, then the screens, then the service worker that lets it start without a network.

import { start } from "./router.js";
import { boot, setUpdateReady } from "./store.js";

void begin();

async function begin() {
  await boot();
  await start(/** @type {HTMLElement} */ (document.getElementById("app")));
  await keepOffline().catch(() => {});
}

async function keepOffline() {
  const registration = await navigator.serviceWorker.register("/app/sw.js", { scope: "/app/" });
  if (registration.waiting) setUpdateReady();
  registration.addEventListener("updatefound", () => {
    const fresh = registration.installing;
    fresh?.addEventListener("statechange", () => {
      if (fresh.state === "installed" && navigator.serviceWorker.controller) setUpdateReady();
    });
  });
}
