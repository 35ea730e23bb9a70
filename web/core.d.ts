// The shapes that the phone's core works with. Global, and never sent to a phone.

/** An operation as it is signed and sent (sync page, section 3). */
interface Op {
  v: number;
  visit: string;
  rid: string;
  seq: number;
  kind: string;
  path: string[];
  val: any;
  base: string[];
  ctx: Ctx;
  author: string;
  via: string | null;
  at: string;
  clk: { off_ms: number; age_s: number } | null;
  tpl: string;
  app: string;
  geo: { lat_e7: number; lon_e7: number; acc_cm: number } | null;
  prev: string;
  sig?: string;
}
/** What a replica had received: the highest seq of each replica, without a hole below it. */
type Ctx = Record<string, number>;
interface Ids {
  has(id: string): boolean;
}

/** A field. `values` are the distinct canonical values of its heads: two or more are a conflict. */
interface Register {
  path: string[];
  heads: Op[];
  values: { val: any; heads: Op[] }[];
}
/** A finding's row or a medium: what made it, what struck it, whether it still stands. */
interface Thing {
  makers: Op[];
  killers: Op[];
  alive: boolean;
}
interface Folded {
  registers: Map<string, Register>;
  rows: Map<string, Thing>;
  media: Map<string, Thing>;
  withdrawn: string[];
  conflicts: { path: string[]; heads: string[] }[];
}
/** What was frozen at dispatch. */
interface Frame {
  visit: string;
  tpl: string;
  subject: { name: string; uscc: string };
}
interface Content {
  answer: Record<string, any>;
  finding: Record<string, any>;
  media: Record<string, any>;
  visit: Record<string, any>;
}

/** An op and what the server said of it at intake. `n` and `verdict` are null for what this phone hasn't sent yet; `op`
 *  is null where the server keeps a place for what nobody can read (then `rid` and `seq` stand beside it). */
interface Entry {
  n: number | null;
  op: Op | null;
  rid?: string;
  seq?: number;
  received_at?: string | null;
  verdict: string | null;
  reason?: string | null;
}
interface Item {
  id: string;
  judged: "findings" | "standard";
  points: { id: string }[];
}
/** What isn't in the ops: the checklist, which media are here, and what only the server knows. */
interface Facts {
  items: Item[];
  here: Ids;
  held?: { op: string; waits_for: string }[];
  certificates?: Record<string, string>;
  window?: { from: string; to: string };
}
interface Standing {
  verdict: string;
  reason: string | null;
}
interface Crew {
  members: string[];
  leader: string | null;
  round: number;
}
/** What stands of a journal. `ops` are those that have effect, in journal order. */
interface Scene {
  standing: Map<string, Standing>;
  effective: Ids;
  ops: Op[];
  crew: Crew;
  state: "open" | "final" | "void";
}
/** What somebody was shown; `content` is C of the sync page, section 5. */
interface Shown {
  crew: Crew;
  folded: Folded;
  content: any;
  digest: string | null;
}
interface Signature {
  op: string;
  signer: string;
  role: string;
  state: string;
  digest: string;
  changed?: string[][];
}
interface Change {
  path: string[];
  then: any;
  now: any;
}
interface Missing {
  code: string;
  detail: Record<string, any>;
}
/** What the result rules look at: the content, the live rows and the live media. */
interface Material {
  content: Content;
  findings: Map<string, any>;
  media: { mime: string; for: string; taken: string | null; geo: any; caption: any }[];
}

/** Parts of the tus client that its types don't name. */
declare module "tus-js-client/lib/*" {
  const part: any;
  export default part;
}
