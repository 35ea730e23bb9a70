/**
 * Copies the few files that the browser needs from `node_modules` into `vendor/`, which is ignored by git.
 * `server/fieldapp.py` writes the import map that reaches them.
 */
import { cp, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const HERE = dirname(fileURLToPath(import.meta.url));

/** What is copied: from `node_modules`, to `vendor`. */
const COPIES = {
  "preact/dist/preact.mjs": "preact/preact.mjs",
  "preact/hooks/dist/hooks.mjs": "preact/hooks.mjs",
  "htm/dist/htm.mjs": "htm/htm.mjs",
  "idb/build/index.js": "idb/idb.js",
  "canonicalize/lib/canonicalize.js": "canonicalize/canonicalize.js",
  "signature_pad/dist/signature_pad.min.js": "signature_pad/signature_pad.js",
  "htmx.org/dist/htmx.min.js": "htmx.org/htmx.min.js",
  ...Object.fromEntries(
    [
      "error.js",
      "logger.js",
      "upload.js",
      "uuid.js",
      "browser/httpStack.js",
      "browser/sources/FileSource.js",
      "browser/sources/isCordova.js",
      "browser/sources/readAsByteArray.js",
    ].map((name) => [`tus-js-client/lib/${name}`, `tus-js-client/${name}`]),
  ),
};

/** Licences that go with the copies. */
const LICENSED = ["preact", "htm", "idb", "canonicalize", "signature_pad", "tus-js-client", "htmx.org"];

await rm(join(HERE, "vendor"), { recursive: true, force: true });
for (const [from, to] of Object.entries(COPIES)) {
  const target = join(HERE, "vendor", to);
  await mkdir(dirname(target), { recursive: true });
  const text = await readFile(join(HERE, "node_modules", from), "utf8");
  await writeFile(target, text.replace(/^\/\/# sourceMappingURL=.*$/gm, "").trimEnd() + "\n");
}
for (const name of LICENSED) {
  await cp(join(HERE, "node_modules", name, "LICENSE"), join(HERE, "vendor", name, "LICENSE.txt"));
}
