// One signature: who signs what, over which code; drawn, typed with a witness, or refused with the reason.

import { useRef, useState } from "preact/hooks";
import { go } from "../router.js";
import { captureSignature, signable } from "../store.js";
import { html, Icon, Segmented } from "../ui/html.js";
import { attempt, say, useLive } from "../ui/live.js";
import { Empty, Notice, Page } from "../ui/page.js";
import { drawn, typed } from "../ui/ink.js";
import { Pad } from "../ui/pad.js";
import { Strip } from "../ui/strip.js";
import { list, t, word } from "../ui/words.js";
import { crewOf, findingsOf, itemsOf, myId, nameOf } from "../reading.js";

/** Each signer begins anew: nothing of one is there for the next. @param {{v: import("../store.js").Visit, query: any}} props */
export default ({ v, query }) => html`<${Sign} key=${query.who} v=${v} query=${query} />`;

/** @param {{v: import("../store.js").Visit, query: any}} props */
function Sign({ v, query }) {
  const signer = query.who ?? myId();
  const home = `/app/visits/${v.id}`;
  const [shown] = useShown(v);
  const [way, setWay] = useState("draw");
  const [strokes, setStrokes] = useState(/** @type {import("../ui/ink.js").Stroke[]} */ ([]));
  const [text, setText] = useState("");
  const [busy, setBusy] = useState(false);
  const officer = v.view.members.includes(signer);
  const other = officer && signer !== myId();
  const moved = !!shown && shown.digest !== v.view.digest;
  const ready = !!shown?.digest && !moved && !busy && (way === "draw" ? strokes.length > 0 : text.trim() !== "");
  const name = nameOf(v, signer);
  const confirm = async () => {
    if (!ready) return;
    setBusy(true);
    const op = await attempt(async () => {
      const said = text.trim().normalize("NFC");
      const mark = way === "refuse" ? { refused: said } : way === "type" ? await typed(said) : await drawn(strokes);
      return captureSignature(v.id, signer, mark, shown.digest);
    });
    setBusy(false);
    if (!op) return;
    say(t("sign.saved"));
    go(`${home}/record`, { replace: true });
  };
  if (v.no_signing || !v.view.digest) {
    const why = v.no_signing ?? "conflict";
    return html`<${Page} title=${t("sign.title", { name })} back=${`${home}/record`} tally=${false} visit=${v}>
      <${Empty}
        action=${why === "conflict" && html`<a class="btn main" href=${`${home}/conflicts`}>${t("conflicts.look")}</a>`}
        >${t(`nosign.${why}`)}<//
      >
    <//>`;
  }
  const ways = [
    ["draw", t("sign.draw")],
    ["type", t("sign.type")],
    ...(signer === "subject" ? [["refuse", t("sign.refuse")]] : []),
  ];
  return html`<${Page}
    title=${t("sign.title", { name })}
    sub=${officer ? t(signer === v.view.leader ? "leader" : "member") : v.assignment.subject.name}
    back=${`${home}/record`}
    tally=${false}
    visit=${v}
    dock=${html`<button type="button" class="btn main wide" aria-disabled=${!ready} onClick=${confirm}>
        <${Icon} name="pen" />${t(way === "refuse" ? "sign.refuse.go" : "sign.confirm_go")}
      </button>
      <p class="note">${t("sign.offline")}</p>`}
  >
    <div class="pad-all stack">
      <p class="small soft">${summary(v)}</p>
      <${Strip}
        code=${v.view.short}
        say=${t("sign.compare", {
          names: list(
            crewOf(v)
              .filter((/** @type {any} */ one) => one.officer !== myId())
              .map((/** @type {any} */ one) => one.name),
          ),
        })}
      />
      ${moved && html`<${Notice} kind="due" icon="g-stale" title=${t("sign.moved")}><a href=${`${home}/record`}>${t("sign.moved.next")}</a><//>`}
      ${other && html`<${Notice} kind="due" icon="g-weak" title=${t("sign.weak", { name })}>${t("sign.weak.next")}<//>`}
      <${Segmented} label=${t("sign.way")} options=${ways} value=${way} onPick=${setWay} />
      ${way === "draw" && html`<${Pad} strokes=${strokes} label=${t("sign.pad", { name })} onChange=${setStrokes} />`}
      ${
        way === "type" &&
        html`<div>
          <label class="lab" for="typed">${t("sign.typed")}</label>
          <input
            class="box"
            id="typed"
            autocomplete="off"
            value=${text}
            onInput=${(/** @type {any} */ event) => setText(event.target.value)}
          />
          <p class="note">${t("sign.typed.note")}</p>
        </div>`
      }
      ${
        way === "refuse" &&
        html`<div>
          <label class="lab" for="refused">${t("sign.refused")}</label>
          <textarea
            class="box"
            id="refused"
            value=${text}
            onInput=${(/** @type {any} */ event) => setText(event.target.value)}
          ></textarea>
          <p class="note">${t("sign.refused.note")}</p>
        </div>`
      }
      ${
        (way === "type" || way === "refuse") &&
        signer !== "witness" &&
        html`<p><a class="btn quiet sm" href=${`${home}/sign?who=witness`}>${t("sign.witness")}</a></p>`
      }
    </div>
  <//>`;
}

/** What was on the screen when it opened is what is signed. @param {import("../store.js").Visit} v */
function useShown(v) {
  const first = useRef(/** @type {any} */ (null));
  const shown = useLive(async () => (first.current ??= await signable(v.id)), [v.id]);
  return [shown];
}

/** @param {import("../store.js").Visit} v */
function summary(v) {
  const results = itemsOf(v).flatMap(({ id }) => v.view.content.visit[`result:${id}`]?.slice(0, 1) ?? []);
  return t("sign.what", {
    subject: v.assignment.subject.name,
    findings: findingsOf(v).filter(({ alive }) => alive).length,
    photos: v.media.length,
    result: results.length ? list([...new Set(results)].map((type) => word("result", type))) : t("result.none"),
  });
}
