// A visit that this officer has left: what he wrote and the server hasn't taken yet stays visible, and can be exported.

import { opId } from "../ops.js";
import { outbox } from "../store.js";
import { ExportButton } from "../ui/export.js";
import { html } from "../ui/html.js";
import { useLive } from "../ui/live.js";
import { Empty, Notice, Page, Section } from "../ui/page.js";
import { t } from "../ui/words.js";
import { myId } from "../reading.js";
import { valueWords } from "../naming.js";
import { Kept } from "./outbox.js";
import { whyWords } from "./recused.js";

/** @typedef {import("../store.js").Visit} Visit */

/** @param {{v: Visit}} props */
export function Left({ v }) {
  const all = useLive(() => outbox(), [v.id]);
  const kept = (all ?? []).filter(({ visit }) => visit === v.id);
  const why = v.board.find(({ officer }) => officer === myId())?.removed;
  return html`<${Page} title=${t("locked.withdrawn")} sub=${v.assignment.subject.name} back="/app/visits" visit=${v}>
    <${Notice} kind="quarantined" icon="s-quarantine" title=${why && t("left.why", { reason: whyWords(why) })}
      >${t("problem.withdrawn")}<//
    >
    ${
      all &&
      (kept.length
        ? html`<${Section} title=${t("left.kept")} end=${kept.length}>
            ${kept.map((item) => html`<${Kept} key=${item.id} item=${item} v=${v} says=${saysOf(v, item)} />`)}
          <//>`
        : html`<${Empty}>${t("left.none")}<//>`)
    }
    <div class="pad-all"><${ExportButton} wide /></div>
  <//>`;
}

/** What he wrote there. @param {Visit} v @param {import("../store.js").Item} item */
function saysOf(v, { id }) {
  const op = v.entries.find(({ op: one }) => one && opId(one) === id)?.op;
  if (op?.kind === "add") return op.val.text ?? "";
  return op?.kind === "set" ? valueWords(v, op.path, op.val) : "";
}

/** Visits that he left, as long as something of his is still only here. @param {{all: Visit[]}} props */
export const Gone = ({ all }) =>
  all
    .filter(
      ({ withdrawn, tally }) =>
        withdrawn && tally.records + tally.photos > tally.records_on_server + tally.photos_on_server,
    )
    .map(
      (v) =>
        html`<${Notice}
          key=${v.id}
          kind="quarantined"
          icon="s-phone"
          title=${t("left.still", { subject: v.assignment.subject.name })}
          ><a href=${`/app/visits/${v.id}`}>${t("left.look")}</a><//
        >`,
    );
