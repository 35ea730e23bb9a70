// The checklist, point by point: the answers are docked under the thumb, the next open point comes up by itself.

import { useEffect, useRef, useState } from "preact/hooks";
import { Later, Mark } from "../later.js";
import { go } from "../router.js";
import { act, heads } from "../store.js";
import { html, Hit, Icon, moveInGroup, Tag } from "../ui/html.js";
import { Field } from "../ui/field.js";
import { attempt, say } from "../ui/live.js";
import { Page } from "../ui/page.js";
import { CameraButton, PhotoStrip } from "../ui/photos.js";
import { Sheet } from "../ui/sheet.js";
import { Ruler } from "../ui/tally.js";
import { clock, list, ordinal, parts, t } from "../ui/words.js";
import {
  answerOf,
  answeredIn,
  findingsOf,
  myId,
  nameOf,
  partsOf,
  phrasesFor,
  photosOf,
  pointsOf,
  versionsAt,
} from "../reading.js";

/** @typedef {import("../store.js").Visit} Visit */
/** @typedef {import("../reading.js").Point} Point */

const LOOK = {
  pass: ["pass", "pass"],
  fail: ["fail", "fail"],
  na: ["calm", "na"],
  open: ["calm", "open"],
  conflict: ["conflict", "s-conflict"],
};
const ANSWERS = /** @type {const} */ (["pass", "fail", "na"]);

/** @param {{v: Visit, query: any}} props */
export default function Checklist({ v, query }) {
  const points = pointsOf(v.template);
  const place = `suijian.point.${v.id}`;
  const at =
    points.find(({ id }) => id === (query.point ?? localStorage.getItem(place))) ??
    nextOpen(v, points, null) ??
    points[0];
  const [sheet, setSheet] = useState("");
  const [last, setLast] = useState(
    /** @type {{point: Point, before: string, answer: string, op: string, row: string | null} | null} */ (null),
  );
  const [saved, setSaved] = useState("");
  const part = partsOf(v.template).find(({ points: its }) => its.includes(at));
  const move = (/** @type {Point | undefined} */ point) =>
    point && go(`/app/visits/${v.id}/checklist?point=${encodeURIComponent(point.id)}`, { replace: true });
  useEffect(() => {
    if (at) localStorage.setItem(place, at.id);
    document.getElementById("now")?.scrollIntoView({ block: "center", behavior: "instant" });
  }, [at?.id]);

  const answer = async (/** @type {string} */ verdict) => {
    const path = ["answer", at.id, "verdict"];
    const before = answerOf(v, at.id);
    if (before === verdict) return verdict === "na" ? setSheet("why") : undefined;
    const done = await attempt(async () => {
      const op = await act(v.id, "set", path, verdict, heads(v.id, path));
      const row = verdict === "fail" && !findingAt(v, at) ? await openFinding(v, at) : null;
      return { point: at, before, answer: verdict, op, row };
    });
    if (!done) return;
    navigator.vibrate?.(10);
    setLast(done);
    setSaved(clock(new Date(), true));
    say(t("checklist.recorded", { no: at.no, answer: t(`answer.${verdict}`) }));
    if (verdict === "na") setSheet("why");
    else move(nextOpen(v, points, at));
  };
  const undo = async () => {
    if (!last) return;
    const was = ANSWERS.includes(/** @type {any} */ (last.before)) ? last.before : null;
    const done = await attempt(async () => {
      if (last.row) await act(v.id, "del", ["finding", last.row], { reason: t("checklist.undone") });
      return act(v.id, "set", ["answer", last.point.id, "verdict"], was, [last.op]);
    });
    if (!done) return;
    setLast(null);
    move(last.point);
  };
  useKeys((n) => answer(ANSWERS[n]), !sheet);
  if (!at || !part) return null;
  const mine = answerOf(v, at.id);
  const dock = html`<div class="aux">
      <${CameraButton} visit=${v.id} target=${`answer:${at.id}`} />
      <button type="button" class="btn quiet sm" onClick=${() => setSheet("note")}>
        <${Icon} name="phrase" small />${t("checklist.note")}
      </button>
      <button type="button" class="btn quiet sm" onClick=${() => move(nextOpen(v, points, at) ?? after(points, at))}>
        <${Icon} name="next" small />${t("checklist.skip")}
      </button>
    </div>
    <div class="answers" role="radiogroup" aria-labelledby="now-q" onKeyDown=${moveInGroup}>
      ${ANSWERS.map(
        (id) =>
          html`<button
            type="button"
            role="radio"
            aria-checked=${mine === id}
            class=${`k-${LOOK[id][0]}`}
            onClick=${() => answer(id)}
          >
            <${Icon} name=${LOOK[id][1]} />${t(`answer.${id}`)}
          </button>`,
      )}
    </div>`;
  return html`<${Page}
    title=${ordinal(part.n) + part.name}
    sub=${t("checklist.sub", { who: whoDoes(v, part.name), done: answeredIn(v, part.points), all: part.points.length })}
    back=${`/app/visits/${v.id}`}
    visit=${v}
    actions=${html`<${Hit} icon="search" label=${t("checklist.search")} onClick=${() => setSheet("Search")} />
      <${Hit} icon="list" label=${t("checklist.parts")} onClick=${() => setSheet("Parts")} />`}
    tally=${false}
    top=${html`<div class="tally">
      <span class="line"
        ><span>${parts("checklist.tally", { done: html`<b>${answeredIn(v, points)}</b>`, all: points.length })}</span>
        ${saved && html`<span class="end">${t("checklist.saved", { time: saved })}</span>`}</span
      >
      <${Ruler}
        groups=${partsOf(v.template).map((one) => one.points.map(({ id }) => TICK[answerOf(v, id)] ?? "done"))}
      />
    </div>`}
    dock=${dock}
  >
    <ol class="sheet">
      ${part.points.map(
        (point) =>
          html`<li key=${point.id}>
            ${point === at ? html`<${Now} v=${v} point=${point} />` : html`<${Other} v=${v} point=${point} onPick=${() => move(point)} />`}
          </li>`,
      )}
    </ol>
    ${
      last &&
      html`<div class="toast">
        <span class="grow"
          >${t("checklist.recorded", { no: last.point.no, answer: t(`answer.${last.answer}`) })}
          ${last.row && html` <a href=${`/app/visits/${v.id}/findings/${encodeURIComponent(last.row)}`}>${t("checklist.opened", { n: numberOf(v, last.row) })}</a>`}</span
        >
        <button type="button" class="btn quiet sm" onClick=${undo}><${Icon} name="undo" small />${t("undo")}</button>
      </div>`
    }
    ${
      !last &&
      points.every(({ id }) => answerOf(v, id) !== "open") &&
      html`<p class="pad-all"><a class="btn wide" href=${`/app/visits/${v.id}/findings`}>${t("checklist.all")}</a></p>`
    }
    ${sheet === "why" && html`<${NoteSheet} v=${v} point=${at} title=${t("checklist.why")} why onClose=${() => (setSheet(""), move(nextOpen(v, points, at)))} />`}
    ${sheet === "note" && html`<${NoteSheet} v=${v} point=${at} title=${t("checklist.note.title", { no: at.no })} onClose=${() => setSheet("")} />`}
    ${["Search", "Parts"].includes(sheet) && html`<${Later} of=${sheet} v=${v} points=${points} onPick=${(/** @type {Point} */ point) => (setSheet(""), move(point))} onClose=${() => setSheet("")} />`}
  <//>`;
}

/** @type {Record<string, string>} */
const TICK = { open: "open", conflict: "conflict" };

/** @param {Visit} v @param {string | null} row */
const numberOf = (v, row) => findingsOf(v).find((one) => one.row === row)?.n ?? "";

/** @param {Visit} v @param {Point} point */
const findingAt = (v, point) => findingsOf(v).find(({ alive, fields }) => alive && fields.point === point.id);

/** @param {Visit} v @param {Point} point */
const openFinding = (v, point) =>
  act(v.id, "add", ["finding"], {
    point: point.id,
    ...(point.major && { severity: "major" }),
    ...(point.basis && { basis: point.basis }),
  });

/** @param {Point[]} points @param {Point} at */
const after = (points, at) => points[(points.indexOf(at) + 1) % points.length];

/** The next point without an answer, from here to the end and then from the start. @param {Visit} v @param {Point[]} points
 * @param {Point | null} at */
function nextOpen(v, points, at) {
  const from = at ? points.indexOf(at) + 1 : 0;
  return [...points.slice(from), ...points.slice(0, from)].find(
    (point) => point !== at && answerOf(v, point.id) === "open",
  );
}

/** @param {Visit} v @param {string} part */
export function whoDoes(v, part) {
  const ids = v.view.content.visit[`section:${part}`];
  return ids?.length
    ? t("checklist.who", {
        names: list(ids.map((/** @type {string} */ id) => (id === myId() ? t("you") : nameOf(v, id)))),
      })
    : "";
}

/** @param {(n: number) => void} pick @param {boolean} on keys 1 2 3, except while something is typed */
function useKeys(pick, on) {
  const latest = useRef(pick);
  latest.current = pick;
  useEffect(() => {
    const press = (/** @type {KeyboardEvent} */ event) => {
      const n = "123".indexOf(event.key);
      if (!on || n < 0 || event.ctrlKey || event.metaKey || event.altKey) return;
      if (!(event.target instanceof HTMLElement && event.target.closest("input, textarea"))) latest.current(n);
    };
    addEventListener("keydown", press);
    return () => removeEventListener("keydown", press);
  }, [on]);
}

/** @param {{v: Visit, point: Point}} props */
function Now({ v, point }) {
  const [whole, setWhole] = useState(false);
  const note = versionsAt(v, ["answer", point.id, "note"])[0]?.val;
  const photos = photosOf(v, `answer:${point.id}`);
  const mine = answerOf(v, point.id);
  const finding = findingAt(v, point);
  const when = point.applies?.text && t("checklist.applies", { text: point.applies.text });
  const law = [when, point.basis, point.how && t("checklist.how", { text: point.how })].filter(Boolean).join("\n");
  return html`<section class="point" id="now">
    <span class="no">${point.no}</span>
    <div>
      <h2 id="now-q">${point.text}</h2>
      ${point.major && html`<${Tag} kind="fail" icon="s-alert">${t("checklist.major")}<//>`}
      <${Mark} v=${v} path=${["answer", point.id]} />
      ${
        law &&
        html`<div class="law">
          <p class=${whole ? "prose" : "prose fold"}>${law}</p>
          <button type="button" aria-expanded=${whole} onClick=${() => setWhole(!whole)}>
            ${t(whole ? "less" : "law.whole")}
          </button>
        </div>`
      }
      ${
        mine === "conflict" &&
        html`<p>
          <${Tag} kind="conflict" icon="s-conflict"
            ><a href=${`/app/visits/${v.id}/conflicts`}>${t("state.conflict")}</a><//
          >
        </p>`
      }
      ${note && html`<p class="small soft">${t("checklist.noted", { text: note })}</p>`}
      ${mine === "na" && !note && html`<p><${Tag} kind="due" icon="s-alert">${t("checklist.no_why")}<//></p>`}
      ${
        finding &&
        html`<p>
          <a class="btn quiet sm" href=${`/app/visits/${v.id}/findings/${encodeURIComponent(finding.row)}`}
            ><${Icon} name="flag" small />${t("finding.title", { n: finding.n })}</a
          >
        </p>`
      }
      ${photos.length > 0 && html`<${PhotoStrip} visit=${v.id} target=${`answer:${point.id}`} photos=${photos} onOpen=${() => go(`/app/visits/${v.id}/evidence`)} />`}
    </div>
  </section>`;
}

/** @param {{v: Visit, point: Point, onPick: () => void}} props */
export function Other({ v, point, onPick }) {
  const answer = answerOf(v, point.id);
  const [kind, icon] = LOOK[/** @type {keyof typeof LOOK} */ (answer)] ?? LOOK.open;
  return html`<button type="button" class="point other" onClick=${onPick}>
    <span class="no">${point.no}</span><span class="q">${point.text}</span>
    <${Tag} kind=${kind} icon=${icon}>${t(`answer.${answer}`)}<//>
  </button>`;
}

/** @param {{v: Visit, point: Point, title: string, why?: boolean, onClose: () => void}} props */
const NoteSheet = ({ v, point, title, why, onClose }) =>
  html`<${Sheet} title=${title} onClose=${onClose}>
    <p class="small soft">${point.no} ${point.text}</p>
    <${Field}
      visit=${v.id}
      path=${["answer", point.id, "note"]}
      value=${versionsAt(v, ["answer", point.id, "note"])[0]?.val}
      label=${t(why ? "checklist.why.label" : "checklist.note")}
      lines
      phrases=${why ? [t("why.na.1"), t("why.na.2"), t("why.na.3")] : phrasesFor(v, point.id)}
    />
    <button type="button" class="btn main wide" onClick=${onClose}>${t("done")}</button>
  <//>`;
