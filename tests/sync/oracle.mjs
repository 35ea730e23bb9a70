// An independent witness of I3: Automerge plays the same edits, and says which of them stand side by side at a field.
// Reads one script a line, [["set", phone, field, op] | ["exchange", phone]], and answers a line: {field: [ops]}.

import { createRequire } from "node:module";
import { createInterface } from "node:readline";

const require = createRequire(new URL("../../web/package.json", import.meta.url));
const A = require("@automerge/automerge");

/** @param {string[][]} script */
function standing(script) {
  let server = A.init();
  const phones = new Map();
  const phone = (name) => phones.get(name) ?? A.init();
  for (const [kind, name, field, op] of script) {
    if (kind === "set") {
      phones.set(
        name,
        A.change(phone(name), (doc) => {
          doc[field] = op;
        }),
      );
    } else {
      server = A.merge(server, phone(name));
      phones.set(name, A.merge(phone(name), server));
    }
  }
  return Object.fromEntries(
    Object.keys(server).map((field) => {
      const conflicts = A.getConflicts(server, field);
      return [field, (conflicts ? Object.values(conflicts) : [server[field]]).sort()];
    }),
  );
}

for await (const line of createInterface({ input: process.stdin })) {
  console.log(JSON.stringify(standing(JSON.parse(line))));
}
