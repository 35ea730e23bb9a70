// Reads journals from standard input, a line each, whose last op isn't sent; writes the verdict that a phone foresees.

import { createInterface } from "node:readline";

import { opId } from "../../web/ops.js";
import { sceneOf } from "../../web/standing.js";

const foreseen = [];
for await (const line of createInterface({ input: process.stdin })) {
  const { entries, frame, facts } = JSON.parse(line);
  const { standing } = sceneOf(entries, frame, facts);
  const { verdict, reason } = standing.get(opId(entries.at(-1).op));
  foreseen.push([verdict, reason]);
}
process.stdout.write(JSON.stringify(foreseen));
