// The group board: each member, each phone, when it was last heard of, what it still holds, and who signed what.

import { useState } from "preact/hooks";
import { hasRecused } from "../crew.js";
import { admit } from "../store.js";
import { html, Icon, Tag } from "../ui/html.js";
import { attempt } from "../ui/live.js";
import { Item, Notice, Page, Section } from "../ui/page.js";
import { Sheet } from "../ui/sheet.js";
import { SignatureTag } from "../ui/signature-tag.js";
import { Strip } from "../ui/strip.js";
import { Ruler, ticks } from "../ui/tally.js";
import { ago, dots, list, ordinal, size, t } from "../ui/words.js";
import { answeredIn, myId, nameOf, partsOf } from "../reading.js";
import { whyWords } from "./recused.js";
import { pathWords, valueWords } from "../naming.js";

/** @param {{v: import("../store.js").Visit}} props */
export default function Group({ v }) {
  const [aside, setAside] = useState(/** @type {any} */ (null));
  const home = `/app/visits/${v.id}`;
  const set = v.view.quarantined.map((/** @type {any} */ one) => ({ ...one, entry: entryOf(v, one.op) }));
  return html`<${Page} title=${t("group.title")} sub=${v.assignment.subject.name} back=${home} tab="group" visit=${v}>
    <div class="sheet">
      ${v.board.map((member) => html`<${Member} key=${member.officer} v=${v} member=${member} />`)}
    </div>
    ${v.view.missing.some((/** @type {Missing} */ { code }) => code === "crew") && html`<${Notice} kind="due" icon="s-alert">${t("missing.crew")}<//>`}
    <section>
      <h2 class="sect">${t("group.code")}</h2>
      <div class="pad-all">
        <${Strip} code=${v.view.short} say=${t(v.view.short ? "strip.compare" : "strip.open")} />
      </div>
    </section>
    ${
      set.length > 0 &&
      html`<${Section} title=${t("aside.title")} end=${set.length}>
        ${set.map(
          (/** @type {any} */ one) =>
            html`<${Item}
              icon="s-quarantine"
              kind="quarantined"
              title=${one.entry ? pathWords(v, one.entry.op.path) : one.op}
              note=${asideWords(v, one)}
              onClick=${() => setAside(one)}
            />`,
        )}
      <//>`
    }
    ${
      v.view.held.length > 0 &&
      html`<${Section} title=${t("held.title")} end=${v.view.held.length}>
        ${v.view.held.map((/** @type {any} */ one) => html`<${Item} icon="s-server" title=${entryOf(v, one.op) ? pathWords(v, entryOf(v, one.op).op.path) : t("of.record")} note=${t("reason.held", { name: phoneOf(v, one.waits_for) })} />`)}
      <//>`
    }
    ${
      v.view.late.length > 0 &&
      html`<${Section} title=${t("late.title")} end=${v.view.late.length}>
        ${v.view.late.map((/** @type {string} */ id) => html`<${Item} icon="s-late" kind="late" title=${entryOf(v, id) ? pathWords(v, entryOf(v, id).op.path) : id} note=${entryOf(v, id) && nameOf(v, entryOf(v, id).op.author)} />`)}
      <//>`
    }
    ${aside && html`<${Aside} v=${v} one=${aside} onClose=${() => setAside(null)} />`}
  <//>`;
}

/** @param {import("../store.js").Visit} v @param {string} id */
const entryOf = (v, id) => v.entries.find(({ op }) => op && `${op.rid}:${op.seq}` === id);

/** @param {import("../store.js").Visit} v @param {string} id an op id: whose phone made it */
function phoneOf(v, id) {
  const rid = String(id).split(":")[0];
  return nameOf(v, v.assignment.devices?.find((/** @type {any} */ one) => one.rid === rid)?.officer ?? rid);
}

/** @param {import("../store.js").Visit} v @param {any} one */
export const asideWords = (v, { op, reason, entry }) =>
  t(`reason.${reason}`, { name: entry ? nameOf(v, entry.op.author) : "", id: op });

/** @param {{v: import("../store.js").Visit, member: any}} props */
function Member({ v, member }) {
  const parts = partsOf(v.template).filter(({ name }) =>
    v.view.content.visit[`section:${name}`]?.includes(member.officer),
  );
  const held = member.pending ? member.pending.ops + member.pending.media : 0;
  const mine = member.officer === myId();
  const waiting = mine ? v.tally.records - v.tally.records_on_server : (member.pending?.ops ?? 0);
  const all = member.ops + (mine ? 0 : waiting);
  const words = [
    member.leader && t("leader"),
    mine && t("you"),
    member.removed !== null ? t("group.removed") : hasRecused(v, member.officer) && t("interest.has.short"),
  ];
  return html`<article class="field member">
    <div class="row">
      <h2 class="grow">${member.name} <span class="note">${list(words)}</span></h2>
      ${member.removed === null && html`<${SignatureTag} state=${member.signature ?? "none"} />`}
    </div>
    ${member.removed && html`<p class="small soft">${whyWords(member.removed)}</p>`}
    ${parts.length > 0 && html`<p class="small soft">${list(parts.map((part) => `${ordinal(part.n)}${part.name} ${answeredIn(v, part.points)}/${part.points.length}`))}</p>`}
    <${Ruler} groups=${[ticks(all, all - waiting)]} />
    <div class="row">
      <${Tag} kind=${waiting ? "saved" : "server"} icon=${waiting ? "s-phone" : "s-server"}
        >${t("group.there", { n: all - waiting, all })}<//
      >
      ${
        !mine &&
        held > 0 &&
        html`<${Tag}
          kind=${member.removed !== null ? "attention" : "saved"}
          icon=${member.removed !== null ? "s-alert" : "s-phone"}
          >${t("group.holds", { what: holdsWords(member.pending) })}<//
        >`
      }
      <span class="note end"
        >${dots([member.last ? t("group.seen", { time: ago(member.last) }) : t("group.unseen"), member.phone])}</span
      >
    </div>
  </article>`;
}

/** What a phone still holds; nothing is said of what it doesn't. @param {{ops: number, media: number, bytes: number}} pending */
const holdsWords = ({ ops, media, bytes }) =>
  list([
    ops > 0 && t("group.holds.ops", { n: ops }),
    media > 0 && t("group.holds.media", { n: media }),
    bytes > 0 && size(bytes),
  ]);

/** What was set aside, why, and the leader's one tap. @param {{v: import("../store.js").Visit, one: any, onClose: () => void}} props */
function Aside({ v, one, onClose }) {
  const { entry } = one;
  const takes = [
    "not_member",
    "reassigned",
    "recused",
    "no_licence_at_time",
    "not_leader",
    "template_mismatch",
    "device_revoked",
  ];
  const can = v.leader && !hasRecused(v, myId()) && takes.includes(one.reason) && entry?.op.author !== myId();
  const take = async () => {
    const done = await attempt(async () => (await admit(v.id, one.op, t("aside.admitted")), true));
    if (done) onClose();
  };
  return html`<${Sheet} title=${t("aside.one")} onClose=${onClose}>
    <div class="stack">
      ${
        entry &&
        html`<dl class="facts">
          <dt>${t("aside.what")}</dt>
          <dd>${pathWords(v, entry.op.path)}</dd>
          <dt>${t("aside.says")}</dt>
          <dd>${entry.op.kind === "set" ? valueWords(v, entry.op.path, entry.op.val) : t(`kind.${entry.op.kind}`)}</dd>
          <dt>${t("aside.by")}</dt>
          <dd>${nameOf(v, entry.op.author)} · ${ago(entry.op.at)}</dd>
        </dl>`
      }
      <p class="small">${asideWords(v, one)}</p>
      ${
        can &&
        html`<button type="button" class="btn main wide" onClick=${take}>
            <${Icon} name="pass" />${t("aside.admit")}
          </button>
          <p class="note">${t("aside.online")}</p>`
      }
      <p class="note mono">${one.op}</p>
    </div>
  <//>`;
}
