// The verifier of the public page, outside of a browser: its first script in a context that has nothing but text codecs.

import { readFileSync } from "node:fs";
import { createContext, runInContext } from "node:vm";

export const HTML = readFileSync(new URL("../../server/standalone/verify-draw.html", import.meta.url), "utf8");
export const CORE = /<script id="core">([\s\S]*?)<\/script>/.exec(HTML)[1];

const context = createContext({ TextEncoder, TextDecoder });
runInContext(CORE, context);

/** A name of the page's first script. */
export const of = (name) => runInContext(name, context);
export const verify = (list) => runInContext("verify", context)(list);
export const parts = (report) => [...new Set(report.files.flatMap(({ faults }) => faults.map(({ part }) => part)))].sort();
