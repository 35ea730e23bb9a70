// Keeps the app's own files, so that it starts without a network. It never touches /api/ and never takes over a running app:
// a new version waits until all windows of the old one are closed.

const VERSION = "__VERSION__";
const PREFIX = "suijian-app-";
const CACHE = PREFIX + VERSION;
const SHELL = "/app/";
const LIST = "/app/precache.json";

self.addEventListener("install", (event) => event.waitUntil(keepAll()));
self.addEventListener("activate", (event) => event.waitUntil(dropOld().then(keepLater)));
self.addEventListener("fetch", (event) => {
  const url = new URL(event.request.url);
  const isOurs = url.origin === location.origin && url.pathname.startsWith(SHELL) && url.pathname !== LIST;
  if (isOurs && event.request.method === "GET") event.respondWith(answer(event.request, url.pathname));
});

/** Pictures and the like, without which the app works. */
const mayWait = ({ lazy, url }) => lazy && !url.endsWith(".js");

/** Every script of the version whose digest is right, or none: a half kept version never starts. */
async function keepAll() {
  const { files } = await (await fetch(LIST, { cache: "no-cache" })).json();
  const cache = await caches.open(CACHE);
  await Promise.all(files.filter((file) => !mayWait(file)).map((file) => keep(cache, file)));
}

async function keep(cache, { url, sha256 }) {
  const bytes = sha256.match(/../g).map((byte) => parseInt(byte, 16));
  const integrity = "sha256-" + btoa(String.fromCharCode(...bytes));
  const found = await fetch(url, { cache: "no-cache", integrity });
  if (!found.ok) throw new Error(`${url}: ${found.status}`);
  await cache.put(url, found);
}

async function dropOld() {
  const names = await caches.keys();
  await Promise.all(
    names.filter((name) => name.startsWith(PREFIX) && name !== CACHE).map((name) => caches.delete(name)),
  );
  await self.clients.claim();
}

/** What may wait comes late, and one by one. */
async function keepLater() {
  const { files } = await (await fetch(LIST, { cache: "no-cache" })).json();
  const cache = await caches.open(CACHE);
  await Promise.allSettled(files.filter(mayWait).map((file) => keep(cache, file)));
}

/** From the cache, else from the network. Any page of the app is the shell. */
async function answer(request, path) {
  const cache = await caches.open(CACHE);
  return (await cache.match(request.mode === "navigate" ? SHELL : path)) ?? fetch(request);
}
