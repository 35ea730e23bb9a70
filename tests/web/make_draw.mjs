// `node tests/web/make_draw.mjs N FILE`: writes a published draw of N subjects.

import { writeFileSync } from "node:fs";

import { bytes, draw } from "./draw-maker.mjs";

const [n, path] = process.argv.slice(2);
writeFileSync(path, bytes(draw({ n: Number(n), bp: 500 })));
