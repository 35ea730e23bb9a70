// Reads operations from standard input, a line each; writes what is wrong with each, as the phone sees it.

import { createInterface } from "node:readline";

import { faultOf } from "../../web/ops.js";

const points = new Set(process.argv.slice(2));
const faults = [];
for await (const line of createInterface({ input: process.stdin })) faults.push(faultOf(JSON.parse(line), points));
process.stdout.write(JSON.stringify(faults));
