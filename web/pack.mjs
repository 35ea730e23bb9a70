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
import { minify } from "terser";

const HERE = dirname(fileURLToPath(import.meta.url));
const PACKED = join(HERE, "packed");

/** Modules that keep their address: the app, and the store that other programs on the page may import. */
const APP = "app.js";
const STORE = "store.js";
const SHEET = "style.css";

/** The second pass: it names things so that gzip finds more alike. */
const SMALL = { module: true, compress: { passes: 3 } };

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

/** @type {import("esbuild").BuildOptions} */
const HOW = {
  bundle: true,
  format: "esm",
  minifySyntax: true,
  minifyWhitespace: true, // The names are left to the second pass, which shortens them better.
  mangleProps: /^_[a-z]/, // Libraries' own members; ours have no such names.
  charset: "utf8",
  target: "es2022",
  legalComments: "none",
  write: false,
};

const packed = await build({
  ...HOW,
  entryPoints: [
    { in: join(HERE, APP), out: "app" },
    { in: "the-store", out: "store" },
  ],
  outdir: PACKED,
  outbase: HERE,
  chunkNames: "chunks/[name]-[hash]",
  splitting: true,
  metafile: true,
  plugins: [ourOwn, byImportMap],
});

await rm(PACKED, { recursive: true, force: true });
const made = packed.outputFiles.map(({ path, text }) => ({ name: relative(PACKED, path), text }));
const core = coreOf(made);
const files = withoutStub(made, core);
for (const file of files) file.text = /** @type {string} */ ((await minify(file.text, SMALL)).code);
files.push({ name: SHEET, text: await sheet() });
for (const { name, text } of files) {
  await mkdir(dirname(join(PACKED, name)), { recursive: true });
  await writeFile(join(PACKED, name), text);
}
const listed = await manifest();
await writeFile(join(PACKED, "manifest.json"), JSON.stringify(listed, null, 1) + "\n");
if (process.argv.includes("--report")) report(listed);

/** The file of all that the app shares with what is fetched later, which is the whole app: its own file only imports it.
 * @param {{name: string, text: string}[]} made */
function coreOf(made) {
  const stub = made.find(({ name }) => name === APP)?.text;
  const core = /^import"\.\/(chunks\/[\w-]+\.js)";\n?$/.exec(stub)?.[1];
  if (!core) throw new Error(`${APP} is more than an import, so something that is fetched later lacks part of the app`);
  return core;
}

/** The shared file takes the place of the app's. @param {{name: string, text: string}[]} made @param {string} core */
function withoutStub(made, core) {
  const beside = (/** @type {string} */ name) => `"./${name.replace("chunks/", "")}"`;
  return made
    .filter(({ name }) => name !== APP)
    .map(({ name, text }) => {
      if (name !== core) return { name, text: text.replaceAll(beside(core), `"../${APP}"`).replace(core, APP) };
      for (const other of made) text = text.replaceAll(beside(other.name), `"./${other.name}"`);
      return { name: APP, text };
    });
}

/** One sheet, without the values that only other pages of the product use. */
async function sheet() {
  const { outputFiles } = await build({ entryPoints: [join(HERE, SHEET)], bundle: true, minify: true, write: false });
  const rules = outputFiles[0].text;
  const used = new Set((rules + (await readFile(join(HERE, "icons.svg")))).match(/(?<=var\()--[\w-]+/g));
  return rules.replace(/(--[\w-]+):[^;}]*;?/g, (value, name) => (used.has(name) ? value : ""));
}

/** What was packed and from what: outputs with whether they are fetched lazily, what the libraries weigh of the main way,
 * and the sources with their digests. */
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
  return { outputs, libraries: await weightOfLibraries(), sources };
}

/** What the libraries of the main way weigh by themselves, with gzip -9. */
async function weightOfLibraries() {
  const names = [...Object.keys(IMPORTS).filter((name) => IMPORTS[name].endsWith("js")), `./${UPLOADS}`];
  const contents = names.map((name, i) => `export * as library${i} from "${name}";`).join("\n");
  const { outputFiles } = await build({ ...HOW, stdin: { contents, resolveDir: HERE }, plugins: [byImportMap] });
  return gzipSync((await minify(outputFiles[0].text, SMALL)).code, { level: 9 }).length;
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
function report({ outputs, libraries }) {
  const weight = { main: 0, lazy: 0, libraries };
  for (const { name, text } of files) {
    const bytes = gzipSync(text, { level: 9 }).length;
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
