// The outbox: every item's state in words, what needs somebody, how much room is left, retry and rescue export.

import { outbox, syncNow, visit, visits } from "../store.js";
import { ExportButton } from "../ui/export.js";
import { html, Icon, Tag } from "../ui/html.js";
import { useLive, useNow } from "../ui/live.js";
import { Empty, Item, Notice, Page, Section } from "../ui/page.js";
import { Picture } from "../ui/photos.js";
import { Ruler, TallyLine, ticks } from "../ui/tally.js";
import { day, dots, moment, size, t } from "../ui/words.js";
import { pathWords } from "../naming.js";
import { InLog } from "./logged.js";

const ICONS = {
  saved: "s-phone",
  sending: "s-sending",
  server: "s-server",
  held: "s-server",
  conflict: "s-conflict",
  quarantined: "s-quarantine",
  late: "s-late",
  attention: "s-alert",
};
const NEEDS = ["conflict", "quarantined", "late", "attention"];

export default function Outbox() {
  const now = useNow();
  const items = useLive(outbox);
  const known = useLive(async () =>
    Object.fromEntries(await Promise.all((await visits()).map(async ({ id }) => [id, await visit(id)]))),
  );
  if (!items || !known) return null;
  const need = items.filter(({ state }) => NEEDS.includes(state));
  const waiting = items.filter(({ state }) => !NEEDS.includes(state) && state !== "server");
  const bytes = waiting.reduce((sum, item) => sum + item.bytes, 0);
  const states = (/** @type {boolean} */ media) =>
    items
      .filter(({ kind, state }) => (kind === "photo" || kind === "signature") === media && state !== "server")
      .map(({ state }) => state);
  const { tally, storage } = now;
  return html`<${Page}
    title=${t("tab.outbox")}
    tab="outbox"
    tally=${false}
    top=${html`<div class="tally">
      <span class="line"><${TallyLine} tally=${tally} /></span>
      <${Ruler}
        groups=${[ticks(tally.records, tally.records - states(false).length, states(false)), ticks(tally.photos, tally.photos - states(true).length, states(true))]}
      />
      <span class="note"
        >${now.proven_at ? t("outbox.proven", { time: moment(now.proven_at) }) : t("outbox.never")}${now.sending ? ` · ${t("sync.asking")}` : ""}</span
      >
    </div>`}
  >
    <div class="pad-all row">
      <button type="button" class="btn grow" onClick=${syncNow}>
        <${Icon} name="s-sending" small />${t("outbox.retry")}
      </button>
      <${ExportButton} />
    </div>
    ${
      now.oldest &&
      Date.now() - Date.parse(now.oldest) > 3 * 864e5 &&
      html`<${Notice} kind="attention" icon="s-alert" title=${t("visits.old", { day: day(now.oldest) })}
        >${t("visits.old.next")}<//
      >`
    }
    ${!items.length && html`<${Empty} action=${html`<a class="btn" href="/app/visits">${t("outbox.none.action")}</a>`}>${t("outbox.none")}<//>`}
    ${
      need.length > 0 &&
      html`<${Section} title=${t("outbox.needs")} end=${need.length}>
        ${need.map((item) => html`<${Kept} key=${item.id} item=${item} v=${known[item.visit]} />`)}
      <//>`
    }
    ${
      waiting.length > 0 &&
      html`<${Section}
        title=${t("outbox.waiting")}
        end=${t("outbox.waiting.n", { n: waiting.length, size: size(bytes) })}
      >
        ${waiting.slice(0, 100).map((item) => html`<${Kept} key=${item.id} item=${item} v=${known[item.visit]} />`)}
        ${waiting.length > 100 && html`<p class="item note">${t("outbox.more", { n: waiting.length - 100 })}</p>`}
      <//>`
    }
    <${InLog} all=${Object.values(known)} />
    ${now.others.map((other) => html`<${Notice} key=${other.id} kind="due" icon="people">${t("others.unsent", { name: other.name, n: other.unsent })}<//>`)}
    <${Section} title=${t("storage.title")}>
      <${Item}
        icon="s-phone"
        title=${t("storage.used", { size: size(storage.usage) })}
        note=${t("storage.left", { n: storage.photos_left })}
        tag=${html`<${Tag} kind=${storage.persisted ? "server" : "due"} icon="lock">${t(storage.persisted ? "storage.kept" : "storage.not_kept")}<//>`}
      />
    <//>
  <//>`;
}

/** @param {any} item @param {any} v */
const nameOfItem = (item, v) => (v && item.path?.length ? pathWords(v, item.path) : t(`kind.${item.kind}`));

/** What isn't settled, in words. @param {{item: import("../store.js").Item, v: any, says?: string}} props `says`: what it says, where it leads nowhere */
export const Kept = (props) => html`<${NEEDS.includes(props.item.state) ? Needs : Waiting} ...${props} />`;

/** @param {{item: import("../store.js").Item, v: any, says?: string}} props */
function Needs({ item, v, says }) {
  const home = `/app/visits/${item.visit}`;
  const why =
    item.state === "conflict"
      ? t(v?.leader ? "conflicts.for_you" : "conflicts.for_leader")
      : item.state === "late"
        ? t("reason.late")
        : t(`reason.${item.reason ?? "dead"}`, { id: item.id, name: "" });
  const href = item.state === "conflict" ? `${home}/conflicts` : `${home}/group`;
  return html`<${Item}
    icon=${ICONS[item.state]}
    kind=${item.state}
    title=${nameOfItem(item, v)}
    note=${dots([says, item.state === "quarantined" ? t("aside.because", { why }) : why])}
    href=${v && says === undefined ? href : undefined}
  />`;
}

/** @param {{item: import("../store.js").Item, v: any, says?: string}} props */
const Waiting = ({ item, v, says }) =>
  html`<div class="item">
    ${item.kind === "photo" && html`<span class="tiny"><${Picture} visit=${item.visit} sha256=${item.id} alt="" /></span>`}
    <span class="grow">
      <span class="d">${dots([nameOfItem(item, v), says, moment(item.at)])}</span>
      <${Tag} kind=${item.state} icon=${ICONS[item.state]}>
        ${item.state === "sending" && item.kind === "photo" ? t("photo.sending.long", { n: item.progress }) : t(`state.${item.state}`)}
      <//>
    </span>
  </div>`;
