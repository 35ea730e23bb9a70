// A phone in node: the app's own modules over a database in memory, and a small server that can be told to misbehave.

import "../../web/node_modules/fake-indexeddb/auto/index.mjs";

import { DecompressionStream } from "node:stream/web";

import { openOfficer, write } from "../../web/db.js";
import { opId } from "../../web/ops.js";
import { alone, append } from "../../web/outbox.js";
import { enrol, resume } from "../../web/session.js";
import { Sync } from "../../web/sync.js";

export const VISIT = "0193a1b2-0000-7000-8000-00000000beef";
export const TPL =
  "63bce8d4edf0cd46fffe9c93a06ed34806202956d17a36a94df37388d9149b51";
export const CREW = ["li", "wang"];

/** Locks as the browser has them, for one tab. */
const queues = new Map();
const locks = {
  async request(name, ...rest) {
    const work = rest.at(-1);
    const before = queues.get(name) ?? Promise.resolve();
    const mine = before.then(() => work({ name }));
    queues.set(
      name,
      mine.catch(() => {}),
    );
    return mine;
  },
};
Object.defineProperty(globalThis, "navigator", {
  value: { locks },
  configurable: true,
});
globalThis.location = new URL("http://localhost/app/");

/** The server, as far as phones see it: it takes what is in order, and says so. */
export class Server {
  epoch = "e1";
  /** The list of visits, and who its crew is. */
  rev = 1;
  crew = ASSIGNMENT.crew;
  former = undefined;
  srv = "srv";
  /** What is in the journal, by id, in order. */
  journal = new Map();
  held = new Map();
  /** Every request to /api/sync, as the server read it. */
  asked = [];
  /** Answers in the server's stead: a Response, or null to let it answer. */
  instead = async () => null;
  /** Changes the verdict of an op. */
  verdict = (op) => (void op, null);
  rids = [];

  constructor() {
    for (const [i, officer] of CREW.entries()) {
      this.put(
        serverOp(this.srv, i + 1, "assign", ["crew", officer], {
          role: i ? "member" : "leader",
          reason: "",
        }),
      );
    }
    globalThis.fetch = (path, given) => this.answer(String(path), given);
  }

  put(op, verdict = "ok", reason = null) {
    const n = this.journal.size + 1;
    this.journal.set(opId(op), {
      n,
      received_at: "2026-11-24T02:00:00.000Z",
      verdict,
      reason,
      op,
    });
  }

  acked(rid) {
    let seq = 0;
    while (this.journal.has(`${rid}:${seq + 1}`)) seq += 1;
    return seq;
  }

  async answer(path, { method, body, headers }) {
    const zipped = headers?.["Content-Encoding"] === "gzip";
    const text = zipped
      ? await new Response(
          body.stream().pipeThrough(new DecompressionStream("gzip")),
        ).text()
      : body;
    const json = typeof text === "string" && text ? JSON.parse(text) : null;
    if (path === "/api/sync") this.asked.push(json);
    const instead = await this.instead({ method, path, json });
    if (instead) return instead;
    if (path === "/api/devices") {
      this.rids.push(json.rid);
      return answer({ rid: json.rid, epoch: this.epoch, server_key: {} }, 201);
    }
    if (path === "/api/session")
      return answer({
        token: "t",
        officer: { id: "li", name: "li", unit: "u", roles: [] },
      });
    if (path !== "/api/sync")
      return answer({ code: "not_found", detail: "" }, 404);
    return answer(this.exchange(json));
  }

  exchange({ rid, push, pull, assignments_rev: rev, epoch }) {
    const before = this.journal.size;
    const results = push.map((entry) => this.take(entry, rid));
    const from = epoch && epoch !== this.epoch ? 0 : (pull[VISIT] ?? null);
    const news = [...this.journal.values()]
      .filter(({ n }) => from !== null && n > from)
      .map(({ op, ...entry }) =>
        op.rid === rid && from ? { ...entry, id: opId(op) } : { ...entry, op },
      );
    return {
      proto: 1,
      epoch: this.epoch,
      server_time: new Date().toISOString(),
      results,
      ops: news.length ? { [VISIT]: news } : {},
      assignments:
        rev === this.rev
          ? null
          : {
              rev: this.rev,
              visits: [
                { ...ASSIGNMENT, crew: this.crew, former: this.former },
              ],
              withdrawn: [],
            },
      media_missing: [],
      grew: this.journal.size - before,
    };
  }

  take({ visit, rid: carried, ops, dead = [] }, own) {
    const rid = carried ?? own;
    const verdicts = [];
    const all = [
      ...ops,
      ...dead.map(({ raw }) =>
        JSON.parse(Buffer.from(raw, "base64").toString()),
      ),
    ];
    for (const op of all.sort((a, b) => a.seq - b.seq)) {
      const known = this.journal.get(opId(op));
      const said = this.verdict(op);
      const isAhead =
        op.seq > this.acked(rid) + 1 ||
        Object.entries(op.ctx).some(
          ([of, seq]) => of !== rid && this.acked(of) < seq,
        );
      if (said) verdicts.push([op.seq, ...said]);
      else if (known) verdicts.push([op.seq, "dup", null]);
      else if (isAhead) verdicts.push([op.seq, "held", null]);
      else {
        this.put(op);
        verdicts.push([op.seq, "ok", null]);
      }
    }
    return { visit, rid, acked: this.acked(rid), verdicts };
  }
}

const ASSIGNMENT = {
  id: VISIT,
  tpl: TPL,
  subject: { name: "示例", uscc: "91411303MAAY4CL12N" },
  crew: CREW.map((officer) => ({
    officer,
    name: `${officer}的名字`,
    leader: officer === "li",
    certificate_to: "2029-12-31",
  })),
  window: { from: "2026-11-01", to: "2026-12-31" },
  tasks: [],
};

export const answer = (data, status = 200, type = "application/json") =>
  new Response(typeof data === "string" ? data : JSON.stringify(data), {
    status,
    headers: { "Content-Type": type },
  });

export const problem = (status, code) =>
  answer({ status, code, detail: code }, status, "application/problem+json");

/** An op of another replica, as the server would give it. */
export const serverOp = (rid, seq, kind, path, val, more = {}) => ({
  v: 1, visit: VISIT, rid, seq, kind, path, val, base: [], ctx: seq > 1 ? { [rid]: seq - 1 } : {},
  author: rid.startsWith("srv") ? "srv" : "wang", via: null, at: "2026-11-24T10:00:00+08:00", clk: null, tpl: TPL,
  app: "1.0.0", geo: null, prev: seq > 1 ? "0".repeat(64) : "", sig: "A".repeat(86), ...more,
}); // prettier-ignore

let made = 0;

/** An enrolled phone of li's that has its visit. */
export async function phone() {
  await resume();
  const db = await openOfficer(`li${(made += 1)}`);
  const here = {
    officer: {
      id: "li",
      name: "li",
      username: "li",
      unit: "u",
      roles: [],
      token: "t",
    },
    db,
  };
  await write(db, ["kv"], (tx) =>
    tx.objectStore("kv").put({ officer: "li" }, "me"),
  );
  await enrol(here, "phone");
  const sync = new Sync(
    here,
    () => {},
    () => {},
  );
  const it = {
    db,
    sync,
    /** One round, and no appointment left behind. */
    async run() {
      await sync.run();
      clearTimeout(sync.timer);
    },
    set: (path, val, more = {}) =>
      alone(db, VISIT, () =>
        append(db, VISIT, { kind: "set", path, val, author: "li", ...more }),
      ),
    open: async () => (await db.getAllFromIndex("ops", "open")).map(opId),
    rows: async () =>
      (await db.getAllFromIndex("ops", "mine")).sort((a, b) => a.seq - b.seq),
    rid: async () => (await db.get("kv", "device")).rid,
    async fill(count) {
      const ids = [];
      for (let i = 1; i <= count; i += 1)
        ids.push(opId(await it.set(["answer", `p${i}`, "note"], `第${i}条`)));
      return ids;
    },
  };
  await it.run();
  return it;
}
