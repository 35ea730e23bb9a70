// Reads histories from standard input, a line each; writes how many there were and what differed.

import { createInterface } from "node:readline";

import { differenceIn } from "./parity.mjs";

let count = 0;
const differences = [];
for await (const line of createInterface({ input: process.stdin })) {
  const difference = await differenceIn(JSON.parse(line));
  if (difference) differences.push(difference);
  count += 1;
}
process.stdout.write(JSON.stringify({ count, differences: differences.slice(0, 5), differing: differences.length }));
