// Evidence: every photo of the visit, what it belongs to, and where it is now.

import { useState } from "preact/hooks";
import { Mark } from "../later.js";
import { act } from "../store.js";
import { html } from "../ui/html.js";
import { Field } from "../ui/field.js";
import { attempt } from "../ui/live.js";
import { Empty, Page } from "../ui/page.js";
import { CameraButton, PhotoState, PhotoStrip, Picture } from "../ui/photos.js";
import { Sheet } from "../ui/sheet.js";
import { moment, size, t } from "../ui/words.js";
import { findingsOf, nameOf, photosOf, pointOf } from "../reading.js";

/** @param {{v: import("../store.js").Visit}} props */
export default function Evidence({ v }) {
  const [open, setOpen] = useState(/** @type {string | null} */ (null));
  const home = `/app/visits/${v.id}`;
  const targets = ["visit", ...new Set(v.media.map((photo) => photo.for).filter((target) => target !== "visit"))];
  const there = v.media.filter(({ state }) => state === "server").length;
  const photo = v.media.find(({ sha256 }) => sha256 === open);
  return html`<${Page}
    title=${t("evidence.title")}
    sub=${v.assignment.subject.name}
    back=${home}
    tab="findings"
    visit=${v}
    dock=${html`<${CameraButton} visit=${v.id} target="visit" main />`}
  >
    <nav class="pad-all" aria-label=${t("findings.which")}>
      <div class="seg">
        <a href=${`${home}/findings`}>${t("findings.n", { n: findingsOf(v).filter(({ alive }) => alive).length })}</a
        ><a href=${`${home}/evidence`} aria-current="page">${t("evidence.n", { n: v.media.length })}</a>
      </div>
    </nav>
    ${v.media.length ? html`<p class="pad-all small">${t("photos.there", { n: there, all: v.media.length })}</p>` : html`<${Empty}>${t("evidence.none")}<//>`}
    <div class="sheet">
      ${targets.map(
        (target) =>
          html`<div class="field" key=${target}>
            <div class="lab">${targetWords(v, target)}</div>
            <${PhotoStrip}
              visit=${v.id}
              target=${target}
              photos=${photosOf(v, target)}
              onOpen=${(/** @type {any} */ one) => setOpen(one.sha256)}
            />
          </div>`,
      )}
    </div>
    ${photo && html`<${PhotoSheet} v=${v} photo=${photo} onClose=${() => setOpen(null)} />`}
  <//>`;
}

/** @param {import("../store.js").Visit} v @param {string} target */
export function targetWords(v, target) {
  const at = target.indexOf(":");
  const id = target.slice(at + 1);
  if (at < 0) return t("evidence.visit");
  if (target.startsWith("answer")) return `${pointOf(v, id)?.no ?? id} ${pointOf(v, id)?.text ?? ""}`;
  const one = findingsOf(v).find(({ row }) => row === id);
  return t("finding.title", { n: one?.n ?? "" }) + (one?.fields.text ? ` · ${one.fields.text}` : "");
}

/** One photo, larger, with caption, time, place and digest; `closed` where it only shows.
 * @param {{v: import("../store.js").Visit, photo: import("../store.js").Photo, closed?: boolean, onClose: () => void}} props */
export function PhotoSheet({ v, photo, closed, onClose }) {
  const [reason, setReason] = useState(/** @type {string | null} */ (null));
  const attach = v.folded.media.get(photo.sha256)?.makers[0];
  const retract = async () => {
    if (!reason?.trim()) return;
    const done = await attempt(() =>
      act(v.id, "retract", ["media", photo.sha256], { reason: reason.trim().normalize("NFC") }),
    );
    if (done) onClose();
  };
  return html`<${Sheet} title=${targetWords(v, photo.for)} onClose=${onClose}>
    <${Picture} visit=${v.id} sha256=${photo.sha256} as="small" cls="wide-pic" alt=${photo.caption || t("photo.alt")} />
    <p class="row"><${PhotoState} photo=${photo} /><${Mark} v=${v} path=${["media", photo.sha256]} /></p>
    ${
      closed
        ? html`<p>${photo.caption}</p>`
        : html`<${Field}
            visit=${v.id}
            path=${["media", photo.sha256, "caption"]}
            value=${photo.caption}
            label=${t("field.media.caption")}
            note=${t("photo.caption.note")}
          />`
    }
    <dl class="facts">
      <dt>${t("photo.taken")}</dt>
      <dd>${photo.taken ? moment(photo.taken) : t("photo.taken.unknown")}</dd>
      <dt>${t("photo.by")}</dt>
      <dd>${nameOf(v, photo.author)} · ${t(`source.${photo.source}`)}</dd>
      <dt>${t("photo.place")}</dt>
      <dd>
        ${attach?.geo ? t("photo.place.known", { lat: (attach.geo.lat_e7 / 1e7).toFixed(5), lon: (attach.geo.lon_e7 / 1e7).toFixed(5), acc: Math.round(attach.geo.acc_cm / 100) }) : t("photo.place.unknown")}
      </dd>
      <dt>${t("photo.size")}</dt>
      <dd>${size(photo.size)}</dd>
      <dt>${t("photo.digest")}</dt>
      <dd class="mono note">${photo.sha256}</dd>
    </dl>
    ${
      closed ||
      (reason === null
        ? html`<button type="button" class="btn wide" onClick=${() => setReason("")}>${t("photo.retract")}</button>`
        : html`<div class="stack">
            <label class="lab" for="retract">${t("photo.retract.reason")}</label>
            <input
              class="box"
              id="retract"
              value=${reason}
              onInput=${(/** @type {any} */ event) => setReason(event.target.value)}
            />
            <button type="button" class="btn wide" aria-disabled=${!reason.trim()} onClick=${retract}>
              ${t("photo.retract.go")}
            </button>
          </div>`)
    }
  <//>`;
}
