// The leader's last step: a result for each item, what each still needs, and final with all that is missing as a list.

import { useEffect, useState } from "preact/hooks";
import { choicesFor, lastStep, mainChoices, materialOf, mayJoin } from "../result.js";
import { go } from "../router.js";
import { act, heads, proposeFinal } from "../store.js";
import { Later } from "../later.js";
import { Choice, html, Icon, moveInGroup } from "../ui/html.js";
import { Field } from "../ui/field.js";
import { attempt, say } from "../ui/live.js";
import { Item, Notice, Page, Section } from "../ui/page.js";
import { date, list, t, word } from "../ui/words.js";
import { gathered, itemsOf, missingWords, nameOf, whyWords } from "../reading.js";

/** @typedef {import("../store.js").Visit} Visit */
/** What the server can only see when all have signed and sent stands at the end; the order is the order of doing. */
const ORDER = ["crew", "interest_undeclared", "conflict", "unanswered_point", "result", "result_mismatch"];

/** @param {{v: Visit, query: any}} props */
export default function Result({ v, query }) {
  const items = itemsOf(v);
  const [open, setOpen] = useState(query.item || items[0]?.id);
  useEffect(() => {
    if (query.item) setOpen(query.item);
  }, [query.item]);
  const { visit } = v.view.content;
  const types = (/** @type {string} */ id) => /** @type {string[]} */ (visit[`result:${id}`] ?? []);
  const chosen = items.flatMap(({ id }) => types(id));
  const mains = items.map(({ id }) => types(id)[0]);
  const { lacking, may } = lastStep(v.view);
  const missing = gathered(lacking).sort((a, b) => rank(a.code) - rank(b.code));
  const closed = ["final", "void"].includes(v.view.phase);
  const waiting = v.tally.photos - v.tally.photos_on_server;
  const pending = v.view.phase === "final_pending";
  const set = (/** @type {string} */ field, /** @type {any} */ val) =>
    attempt(() => act(v.id, "set", ["visit", field], val, heads(v.id, ["visit", field])));
  const choose = async (/** @type {any} */ item, /** @type {string[]} */ next) => {
    const done = await set(`result:${item.id}`, next);
    if (!done) return;
    const now = items.map(({ id }) => (id === item.id ? next[0] : types(id)[0]));
    const can = mainChoices(now);
    if (now.every(Boolean) && can.length === 1 && visit.result !== can[0]) await set("result", can[0]);
  };
  const finish = async () => {
    const done = await attempt(() => proposeFinal(v.id));
    if (done) say(t("final.proposed"));
  };
  const ready = v.leader && may && !pending;
  const dock =
    v.leader &&
    !closed &&
    html`<button type="button" class="btn main wide" aria-disabled=${!ready} onClick=${() => ready && finish()}>
      ${pending ? t("final.waiting") : may ? t("final.go") : t("final.not_yet", { n: missing.length })}
    </button>`;
  return html`<${Page}
    title=${t("result.title")}
    sub=${t("result.leader", { name: nameOf(v, v.view.leader) })}
    back=${`/app/visits/${v.id}`}
    tally=${false}
    visit=${v}
    dock=${dock}
  >
    ${!v.leader && html`<${Notice} kind="calm" icon="people" title=${t("result.leaders")}>${t("result.leaders.next", { name: nameOf(v, v.view.leader) })}<//>`}
    ${pending && html`<${Notice} kind="now" icon="p-pending" title=${t("phase.final_pending")}>${t("visit.pending")}<//>`}
    ${v.view.phase === "final" && html`<${Notice} kind="server" icon="p-final" title=${t("phase.final")}>${t("record.final")}<//>`}
    ${items.map(
      (item, i) =>
        html`<section key=${item.id}>
          ${
            item.id === open && !closed
              ? html`<h2 class="sect">
                    ${t("result.item", { n: i + 1, all: items.length, name: item.name })}<span class="end"
                      >${t("result.pick")}</span
                    >
                  </h2>
                  <${Types}
                    v=${v}
                    item=${item}
                    types=${types(item.id)}
                    onChoose=${(/** @type {string[]} */ next) => v.leader && choose(item, next)}
                  />`
              : html`<div class="sheet">
                  <${Item}
                    title=${t("result.item", { n: i + 1, all: items.length, name: item.name })}
                    note=${types(item.id).length ? list(types(item.id).map((type) => word("result", type))) : t("result.none")}
                    onClick=${closed ? undefined : () => setOpen(item.id)}
                  />
                </div>`
          }
        </section>`,
    )}
    ${items.length > 1 && mains.every(Boolean) && html`<${Later} of="Main" v=${v} can=${mainChoices(mains)} onChoose=${(/** @type {string} */ type) => v.leader && set("result", type)} />`}
    <${Details} v=${v} chosen=${chosen} sheet=${query.sheet} />
    ${
      !closed &&
      html`<${Section}
        title=${t(!missing.length ? "final.nothing_missing" : may ? "final.waits" : "final.missing", { n: missing.length })}
        end=${missing.length > 0 && t("final.tap")}
      >
        ${missing.map((line) => {
          const { title, href, icon, kind } = missingWords(v, line);
          return html`<${Item} icon=${icon} kind=${kind} title=${title} href=${href} />`;
        })}
      <//>`
    }
    ${waiting > 0 && html`<p class="note pad-all">${t("missing.media", { n: waiting })}</p>`}
    ${!chosen.includes("no_relevant_activity") && html`<${Section} title=${t("result.details")}><${ResultNote} v=${v} /><//>`}
  <//>`;
}

/** @param {string} code */
const rank = (code) =>
  code.startsWith("signature") || code === "subject_signature" ? 90 : ORDER.includes(code) ? ORDER.indexOf(code) : 50;

/** The ten types in their order; the few that fit stand open, the rest behind a line.
 * @param {{v: Visit, item: any, types: string[], onChoose: (types: string[]) => void}} props */
function Types({ v, item, types, onChoose }) {
  const [all, setAll] = useState(false);
  const choices = choicesFor(materialOf(v.folded, v.view.content, itemsOf(v)), item);
  const near = choices.filter(
    ({ type, can, needs }) => types.includes(type) || (can && needs.every(({ code }) => NEAR.includes(code))),
  );
  const shown = all || near.length < 1 ? choices : near;
  const [main, ...further] = types;
  const joins = main ? mayJoin(main) : [];
  const note = (/** @type {any} */ one) => {
    if (!one.can)
      return t("result.cannot", {
        why: whyWords(v, one.needs.find((/** @type {any} */ need) => need.code === "result_mismatch").detail),
      });
    const needs = gathered(one.needs);
    return needs.length
      ? t("result.needs", { what: list(needs.map(({ code, n }) => t(`need.${code}`, { n }))) })
      : t("result.ready");
  };
  return html`<div class="sheet" role="radiogroup" aria-label=${item.name} onKeyDown=${moveInGroup}>
      ${shown.map(
        (one) =>
          html`<${Choice}
            key=${one.type}
            checked=${main === one.type}
            off=${!one.can}
            title=${`${one.n} ${word("result", one.type)}`}
            note=${note(one)}
            onPick=${() => onChoose([one.type, ...further.filter((other) => other !== one.type && mayJoin(one.type).includes(other))])}
          />`,
      )}
    </div>
    <div class="sheet">
      ${
        shown.length < choices.length &&
        html`<button type="button" class="item more" onClick=${() => setAll(true)}>
          <span class="grow">${t("result.others", { n: choices.length - shown.length })}</span
          ><${Icon} name="down" small />
        </button>`
      }
      ${
        joins.length > 0 &&
        html`<details open=${further.length > 0}>
          <summary class="item"><span class="grow">${t("result.further")}</span><${Icon} name="down" small /></summary>
          ${choices
            .filter(({ type }) => joins.includes(type))
            .map(
              (one) =>
                html`<${Choice}
                  many
                  checked=${further.includes(one.type)}
                  off=${!one.can && !further.includes(one.type)}
                  title=${`${one.n} ${word("result", one.type)}`}
                  note=${note(one)}
                  onPick=${() => onChoose([main, ...(further.includes(one.type) ? further.filter((other) => other !== one.type) : [...further, one.type])])}
                />`,
            )}
        </details>`
      }
    </div>`;
}

const NEAR = ["order_deadline", "followup", "basis", "unanswered_point"];

/** What the chosen types need besides findings and photos. @param {{v: Visit, chosen: string[], sheet?: string}} props */
function Details({ v, chosen, sheet }) {
  const home = `/app/visits/${v.id}/result`;
  const { visit } = v.view.content;
  const has = (/** @type {string[]} */ types) => types.some((type) => chosen.includes(type));
  const basis = itemsOf(v).filter(({ id }) =>
    (visit[`result:${id}`] ?? []).some((/** @type {string} */ type) => ["qualified", "unqualified"].includes(type)),
  );
  const attempts = visit.attempts ?? [];
  const rows = [
    has(["unreachable"]) &&
      html`<${Item}
        icon="phone"
        title=${t("attempts.title")}
        note=${attempts.length ? t("attempts.n", { n: attempts.length }) : t("attempts.none")}
        href=${`${home}?sheet=Attempts`}
      />`,
    (has(["serious_noncooperation"]) || visit.noncooperation) &&
      html`<${Item}
        icon="s-alert"
        title=${t("circumstances.title")}
        note=${visit.noncooperation ? list(visit.noncooperation.circumstances.map((/** @type {string} */ id) => t(`circumstance.${id}`))) : t("value.none")}
        href=${`${home}?sheet=Circumstances`}
      />`,
    has(["pending_followup"]) &&
      html`<${Item}
        icon="calendar"
        title=${t("followup.title")}
        note=${visit.followup ? list([visit.followup.owner, visit.followup.due && date(visit.followup.due)]) : t("value.none")}
        href=${`${home}?sheet=Followup`}
      />`,
    ...basis.map(
      (item) =>
        html`<${Field}
          key=${item.id}
          visit=${v.id}
          path=${["visit", `basis:${item.id}`]}
          value=${visit[`basis:${item.id}`]}
          label=${t("field.visit.basis.of", { name: item.name })}
          lines
          disabled=${!v.leader}
        />`,
    ),
    has(["no_relevant_activity"]) && html`<${ResultNote} v=${v} needed />`,
  ].filter(Boolean);
  return html`${rows.length > 0 && html`<${Section} title=${t("result.details")}>${rows}<//>`}
  ${sheet && html`<${Later} of=${sheet} v=${v} onClose=${() => go(home, { replace: true })} />`}`;
}

/** @param {{v: Visit, needed?: boolean}} props */
const ResultNote = ({ v, needed }) =>
  html`<${Field}
    visit=${v.id}
    path=${["visit", "result_note"]}
    value=${v.view.content.visit.result_note}
    label=${t("field.visit.result_note")}
    note=${needed && t("result.note.needed")}
    lines
    disabled=${!v.leader}
  />`;
