/**
 * Packs the field app for phones into `packed/`, which is ignored by git: one minified module for the way from sign-in to
 * final, and a small one for each thing that is fetched when it is first needed. The sources stay what is read and edited:
 * `server/fieldapp.py` serves the packed files only while `packed/manifest.json` names today's sources, else the sources.
 */
import { build } from "esbuild";
import { createHash } from "node:crypto";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

const HERE = dirname(fileURLToPath(import.meta.url));
const PACKED = join(HERE, "packed");

/** Modules that keep their address: the app, and the store that other programs on the page may import. */
const APP = "app.js";
const STORE = "store.js";
const SHEET = "style.css";

/** Imported when the first photo is sent, which every visit comes to: it belongs to the main way. */
const UPLOADS = "upload.js";

/** The same names as in the import map of `server/fieldapp.py`. */
const IMPORTS = {
  preact: "vendor/preact/preact.mjs",
  "preact/hooks": "vendor/preact/hooks.mjs",
  htm: "vendor/htm/htm.mjs",
  idb: "vendor/idb/idb.js",
  canonicalize: "vendor/canonicalize/canonicalize.js",
  signature_pad: "vendor/signature_pad/signature_pad.js",
  "tus-js-client/lib/": "vendor/tus-js-client/",
  "url-parse": "shims/url-parse.js",
  "js-base64": "shims/js-base64.js",
};

const byImportMap = {
  name: "import-map",
  setup(/** @type {import("esbuild").PluginBuild} */ plugin) {
    plugin.onResolve({ filter: /^[a-z]/ }, ({ path, kind }) => {
      const name = Object.keys(IMPORTS).find((it) => (it.endsWith("/") ? path.startsWith(it) : path === it));
      return kind === "entry-point" || !name
        ? undefined
        : { path: join(HERE, IMPORTS[name] + path.slice(name.length)) };
    });
    plugin.onResolve({ filter: /^\.\/logger\.js$/ }, () => ({ path: join(HERE, "shims/logger.js") }));
  },
};

/**
 * Indentation inside the screens' templates means nothing to a browser, and no minifier dares to take it out. A module that
 * is fetched later begins with the app's: so all that both need stands in one file, the app's own, and not in a dozen.
 */
const ourOwn = {
  name: "our-own",
  setup(/** @type {import("esbuild").PluginBuild} */ plugin) {
    /** @type {Set<string>} */
    const later = new Set();
    plugin.onResolve({ filter: /^\./ }, ({ path, kind, resolveDir }) => {
      if (kind === "dynamic-import") later.add(join(resolveDir, path));
      return undefined;
    });
    plugin.onLoad({ filter: /\.js$/ }, async ({ path }) => {
      if (path.includes("/vendor/")) return undefined;
      const text = (await readFile(path, "utf8")).replace(/\n[ \t]+/g, "\n");
      return { contents: later.has(path) ? `import ${JSON.stringify(join(HERE, APP))};\n${text}` : text };
    });
    plugin.onResolve({ filter: /^the-store$/ }, () => ({ path: "the-store", namespace: "entry" }));
    plugin.onLoad({ filter: /./, namespace: "entry" }, () => ({
      contents: `import ${JSON.stringify(join(HERE, APP))};\nexport * from ${JSON.stringify(join(HERE, STORE))};`,
      resolveDir: HERE,
    }));
  },
};

const packed = await build({
  entryPoints: [
    { in: join(HERE, APP), out: "app" },
    { in: "the-store", out: "store" },
  ],
  outdir: PACKED,
  outbase: HERE,
  chunkNames: "chunks/[name]-[hash]",
  bundle: true,
  splitting: true,
  format: "esm",
  minify: true,
  mangleProps: /^_[a-z]/, // Libraries' own members; ours have no such names.
  charset: "utf8",
  target: "es2022",
  legalComments: "none",
  metafile: true,
  write: false,
  plugins: [ourOwn, byImportMap],
});

await rm(PACKED, { recursive: true, force: true });
const files = withoutStub(packed.outputFiles.map(({ path, contents }) => ({ name: relative(PACKED, path), contents })));
files.push({ name: SHEET, contents: Buffer.from(await sheet()) });
for (const { name, contents } of files) {
  await mkdir(dirname(join(PACKED, name)), { recursive: true });
  await writeFile(join(PACKED, name), contents);
}
const listed = await manifest();
await writeFile(join(PACKED, "manifest.json"), JSON.stringify(listed, null, 1) + "\n");
if (process.argv.includes("--report")) report(listed);

/** The app's file holds nothing but the import of what it shares with later ones: that takes its place.
 * @param {{name: string, contents: Uint8Array}[]} made */
function withoutStub(made) {
  const stub = made.find(({ name }) => name === APP);
  const shared = /^import"\.\/(chunks\/[\w-]+\.js)";\n?$/.exec(Buffer.from(stub.contents).toString())?.[1];
  if (!shared)
    throw new Error(`${APP} holds more than an import: a module that is fetched later lacks what the app has`);
  const away = (/** @type {string} */ name) => `"./${name.replace("chunks/", "")}"`;
  return made
    .filter((file) => file !== stub)
    .map(({ name, contents }) => {
      let text = Buffer.from(contents).toString();
      if (name === shared) for (const other of made) text = text.replaceAll(away(other.name), `"./${other.name}"`);
      else text = text.replaceAll(away(shared), `"../${APP}"`).replaceAll(`"./${shared}"`, `"./${APP}"`);
      return { name: name === shared ? APP : name, contents: Buffer.from(text) };
    });
}

/** One sheet, without the values that only other pages of the product use. */
async function sheet() {
  const { outputFiles } = await build({ entryPoints: [join(HERE, SHEET)], bundle: true, minify: true, write: false });
  const rules = outputFiles[0].text;
  const used = new Set((rules + (await readFile(join(HERE, "icons.svg")))).match(/(?<=var\()--[\w-]+/g));
  return rules.replace(/(--[\w-]+):[^;}]*;?/g, (value, name) => (used.has(name) ? value : ""));
}

/** What was packed and from what: outputs with whether they are fetched lazily, sources with their digests. */
async function manifest() {
  const main = new Set([APP, SHEET, ...reachable(join(HERE, UPLOADS))]);
  const outputs = Object.fromEntries(files.map(({ name }) => [name, { lazy: !main.has(name) }]));
  const read = Object.keys(packed.metafile.inputs).filter((path) => !path.startsWith("entry:"));
  const inputs = [...read.map((path) => relative(HERE, absolute(path))), SHEET, "tokens.css"];
  const sources = {};
  for (const name of [...new Set(inputs)].sort()) {
    sources[name] = createHash("sha256")
      .update(await readFile(join(HERE, name)))
      .digest("hex");
  }
  return { outputs, sources };
}

/** The outputs that a browser fetches with a source, dynamic imports left out. @param {string} source */
function reachable(source) {
  const named = Object.entries(packed.metafile.outputs).map(([path, out]) => [absolute(path), out]);
  const outputs = Object.fromEntries(named);
  const found = named.filter(([, out]) => out.entryPoint && absolute(out.entryPoint) === source).map(([path]) => path);
  for (const path of found) {
    for (const { path: next, kind } of outputs[path].imports) {
      if (kind === "import-statement" && !found.includes(absolute(next))) found.push(absolute(next));
    }
  }
  return found.map((path) => relative(PACKED, path));
}

/** esbuild names files as seen from where it was called. @param {string} path */
function absolute(path) {
  return join(process.cwd(), path);
}

/** Prints what each file weighs packed with gzip -9, and what each source gave to the main way. */
function report({ outputs }) {
  const weight = { main: 0, lazy: 0 };
  for (const { name, contents } of files) {
    const bytes = gzipSync(contents, { level: 9 }).length;
    weight[outputs[name].lazy ? "lazy" : "main"] += bytes;
    console.log(String(bytes).padStart(7), name, outputs[name].lazy ? "lazy" : "");
  }
  console.log(weight);
  const given = {};
  for (const { inputs } of Object.values(packed.metafile.outputs)) {
    for (const [path, { bytesInOutput }] of Object.entries(inputs)) given[path] = (given[path] ?? 0) + bytesInOutput;
  }
  for (const [path, bytes] of Object.entries(given).sort(([, a], [, b]) => b - a))
    console.log(String(bytes).padStart(7), path);
}
