// Two versions of one thing, side by side: take one, join them, or write another. Nothing was lost meanwhile.

import { useState } from "preact/hooks";
import { go } from "../router.js";
import { act, heads } from "../store.js";
import { Difference } from "../ui/difference.js";
import { Choice, html, moveInGroup } from "../ui/html.js";
import { attempt, say } from "../ui/live.js";
import { Empty, Item, Notice, Page, Section } from "../ui/page.js";
import { dots, list, moment, t } from "../ui/words.js";
import { findingsOf, nameOf, pointOf, versionsAt } from "../reading.js";
import { pathWords, valueWords } from "../naming.js";

/** @typedef {import("../store.js").Visit} Visit */
const TEXTS = ["text", "place", "basis", "note", "caption", "summary", "result_note", "attendee", "attendee_post"];

/** @param {{v: Visit, query: any}} props */
export default function Conflicts({ v, query }) {
  const all = v.view.conflicts;
  const home = `/app/visits/${v.id}`;
  const at = Math.min(Number(query.i ?? 0), Math.max(0, all.length - 1));
  if (!all.length) {
    return html`<${Page} title=${t("conflicts.title")} back=${home} visit=${v} tab="findings">
      <${Empty} action=${html`<a class="btn main" href=${`${home}/record`}>${t("visit.to_record")}</a>`}
        >${t("conflicts.none")}<//
      >
    <//>`;
  }
  return html`<${OneConflict}
    key=${all[at].path.join("/")}
    v=${v}
    path=${all[at].path}
    at=${at}
    of=${all.length}
    home=${home}
  />`;
}

/** @param {{v: Visit, path: string[], at: number, of: number, home: string}} props */
function OneConflict({ v, path, at, of, home }) {
  const [base] = useState(() => heads(v.id, path));
  const [picked, setPicked] = useState(/** @type {number | "own" | null} */ (null));
  const [own, setOwn] = useState("");
  const values = versionsAt(v, path);
  const field = path[2] ?? path[1].split(":")[0];
  const texts = TEXTS.includes(field) || field === "basis";
  const words = values.map((/** @type {any} */ one) => valueWords(v, path, one.val));
  const ready = picked !== null && (picked !== "own" || own.trim());
  const settle = async () => {
    if (!ready || !v.leader) return;
    const val = picked === "own" ? own.trim().normalize("NFC") : values[picked].val;
    const done = await attempt(() => act(v.id, "set", path, val, base));
    if (!done) return;
    say(t("conflicts.settled"));
    go(of > 1 ? `${home}/conflicts` : `${home}/findings`, { replace: true });
  };
  const dock = v.leader
    ? html`<button type="button" class="btn main wide" aria-disabled=${!ready} onClick=${settle}>
        ${!ready ? t("conflicts.pick") : picked === "own" ? t("conflicts.use_own") : t("conflicts.use", { text: words[picked].slice(0, 12) + (words[picked].length > 12 ? "…" : "") })}
      </button>`
    : html`<a
        class="btn main wide"
        href=${path[0] === "finding" ? `${home}/findings/${encodeURIComponent(path[1])}` : `${home}/checklist`}
        >${t("conflicts.own")}</a
      >`;
  return html`<${Page}
    title=${t("conflicts.title")}
    sub=${t("conflicts.of", { n: at + 1, all: of })}
    back=${home}
    tally=${false}
    visit=${v}
    dock=${dock}
  >
    <${Notice} kind="conflict" icon="s-conflict" title=${t("conflicts.how")}>
      ${v.leader ? t("conflicts.leader") : t("conflicts.member", { name: nameOf(v, v.view.leader) })}
    <//>
    <div class="pad-all">
      <p class="note">${about(v, path)}</p>
      <h2 id="field">${pathWords(v, path)}</h2>
    </div>
    <div role="radiogroup" aria-labelledby="field" onKeyDown=${moveInGroup}>
      <div
        class=${values.length > 2 || words.some((/** @type {string} */ one) => one.length > 60) ? "two rows" : "two"}
      >
        ${values.map(
          (/** @type {any} */ one, /** @type {number} */ i) =>
            html`<button
              type="button"
              role="radio"
              class="ver"
              aria-checked=${picked === i}
              aria-disabled=${!v.leader}
              onClick=${() => v.leader && setPicked(i)}
            >
              <span class=${words[i].length > 14 ? "val long" : "val"}
                >${values.length === 2 && texts ? html`<${Difference} text=${words[i]} other=${words[1 - i]} />` : words[i]}</span
              >
              ${one.heads.map((/** @type {any} */ op) => html`<${Author} v=${v} op=${op} />`)}
              ${v.leader && html`<span class="pick"><span class="radio"></span>${t("conflicts.this")}</span>`}
            </button>`,
        )}
      </div>
      ${
        v.leader &&
        texts &&
        html`<${Choice}
          cls="other-way"
          checked=${picked === "own"}
          title=${t("conflicts.third")}
          onPick=${() => {
            setPicked("own");
            setOwn(own || joined(words));
          }}
        />`
      }
    </div>
    ${
      picked === "own" &&
      html`<div class="pad-all">
        <label class="lab" for="own">${t("conflicts.third.label")}</label>
        <textarea
          class="box"
          id="own"
          value=${own}
          onInput=${(/** @type {any} */ event) => setOwn(event.target.value)}
        ></textarea>
      </div>`
    }
    <${Merged} v=${v} path=${path} />
    <p class="note pad-all">${t("conflicts.clocks")}</p>
    ${
      of > 1 &&
      html`<p class="pad-all">
        <a class="btn wide" href=${`${home}/conflicts?i=${(at + 1) % of}`}>${t("conflicts.next")}</a>
      </p>`
    }
  <//>`;
}

/** Both texts, what they share only once. @param {string[]} words */
function joined(words) {
  const [first, ...others] = words;
  return others.reduce(
    (text, other) => (text.includes(other) ? text : other.includes(text) ? other : `${text}\n${other}`),
    first,
  );
}

/** @param {{v: Visit, op: any}} props */
function Author({ v, op }) {
  const entry = v.entries.find((one) => one.op && one.op.rid === op.rid && one.op.seq === op.seq);
  const phone = v.assignment.devices?.find((/** @type {any} */ one) => one.rid === op.rid)?.name;
  return html`<span>
    <b>${nameOf(v, op.author)}</b> ${op.author === v.view.leader && t("leader")}<br />
    ${phone ?? t("conflicts.phone", { name: nameOf(v, op.author) })}<br />
    ${t("conflicts.written", { time: moment(op.at) })}<br />
    <span class="note"
      >${entry?.received_at ? t("conflicts.received", { time: moment(entry.received_at) }) : t("state.saved")}</span
    >
  </span>`;
}

/** @param {Visit} v @param {string[]} path */
function about(v, path) {
  if (path[0] !== "finding")
    return path[0] === "answer" ? (pointOf(v, path[1])?.text ?? "") : v.assignment.subject.name;
  const one = findingsOf(v).find(({ row }) => row === path[1]);
  const point = pointOf(v, one?.fields.point);
  return dots([t("finding.title", { n: one?.n ?? "" }), point && t("finding.point", { no: point.no }), point?.text]);
}

/** What was written beside it and needs nobody's choice. @param {{v: Visit, path: string[]}} props */
function Merged({ v, path }) {
  if (path[0] !== "finding") return null;
  const fields = [...v.folded.registers.values()].filter(
    (/** @type {any} */ one) =>
      one.path[0] === "finding" && one.path[1] === path[1] && one.values.length === 1 && one.values[0].val !== null,
  );
  const photos = v.media.filter((photo) => photo.for === `finding:${path[1]}`);
  if (!fields.length && !photos.length) return null;
  return html`<${Section} title=${t("conflicts.merged")}>
    ${fields.map((one) => html`<${Item} icon="pass" kind="pass" title=${t(`field.finding.${one.path[2]}`)} note=${`${valueWords(v, one.path, one.values[0].val)} · ${nameOf(v, one.heads[0].author)}`} />`)}
    ${photos.length > 0 && html`<${Item} icon="pass" kind="pass" title=${t("photos.n", { n: photos.length })} note=${list([...new Set(photos.map(({ author }) => author))].map((id) => t("conflicts.photos", { name: nameOf(v, id), n: photos.filter(({ author }) => author === id).length })))} />`}
  <//>`;
}
