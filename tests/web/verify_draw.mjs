// `node tests/web/verify_draw.mjs [--each] FILE...`: what the public page says of files; --each takes every file alone.
// A line a file: "green" or the parts at fault, as JSON. A folder stands for the files in it, which form one chain.

import { readFileSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";

import { verify } from "./verifier.mjs";

const each = process.argv[2] === "--each";
const given = process.argv.slice(each ? 3 : 2);
const files = (path) => (statSync(path).isDirectory() ? readdirSync(path).sort().map((name) => join(path, name)) : [path]);
const groups = each
  ? given.map(files)
  : [given.flatMap(files)];

let red = false;
for (const group of groups) {
  const report = verify(group.map((name) => ({ name, bytes: new Uint8Array(readFileSync(name)) })));
  red ||= !report.green;
  for (const { name, green, faults } of report.files) {
    console.log(JSON.stringify({ file: name, green, faults: faults.map(({ part, en }) => `${part}: ${en}`) }));
  }
}
process.exitCode = red ? 1 : 0;
