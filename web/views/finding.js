// One finding: words with phrases, how grave, photos, place, what is ordered; each field saves itself.

import { useState } from "preact/hooks";
import { Later, Mark } from "../later.js";
import { go } from "../router.js";
import { act, heads } from "../store.js";
import { html, Icon, Pick } from "../ui/html.js";
import { Field, Tick } from "../ui/field.js";
import { attempt } from "../ui/live.js";
import { Item, Notice, Page } from "../ui/page.js";
import { CameraButton, PhotoStrip } from "../ui/photos.js";
import { dots, list, moment, t } from "../ui/words.js";
import { findingsOf, nameOf, phrasesFor, photosOf, pointOf, versionsAt } from "../reading.js";

/** @param {{v: import("../store.js").Visit, params: any}} props */
export default function Finding({ v, params }) {
  const { row } = params;
  const [sheet, setSheet] = useState("");
  const [photo, setPhoto] = useState(/** @type {any} */ (null));
  const one = findingsOf(v).find((finding) => finding.row === row);
  const home = `/app/visits/${v.id}`;
  if (!one)
    return html`<${Page} title=${t("lost.title")} back=${`${home}/findings`}
      ><p class="pad-all">${t("finding.gone")}</p><//
    >`;
  const { fields } = one;
  const path = (/** @type {string} */ field) => ["finding", row, field];
  const set = (/** @type {string} */ field, /** @type {any} */ val) =>
    attempt(() => act(v.id, "set", path(field), val, heads(v.id, path(field))));
  const conflicts = v.view.conflicts.filter((/** @type {any} */ conflict) => conflict.path[1] === row);
  const photos = photosOf(v, `finding:${row}`);
  const there = photos.filter((shot) => shot.state === "server").length;
  const torn = (/** @type {string} */ field) => versionsAt(v, path(field)).length > 1;
  const value = (/** @type {string} */ field) =>
    !torn(field) ? fields[field] : v.leader ? undefined : mineOf(v, path(field));
  const choose = (/** @type {string} */ field, /** @type {string[]} */ ids) =>
    html`<${Pick}
      label=${t(`field.finding.${field}`)}
      options=${ids.map((id) => [id, t(`${field}.${id}`)])}
      value=${value(field)}
      onPick=${(/** @type {string} */ id) => (torn(field) && v.leader ? go(`${home}/conflicts`) : set(field, id))}
    />`;
  const input = (/** @type {string} */ field, /** @type {any} */ more = {}) =>
    html`<${Field}
      key=${field}
      visit=${v.id}
      path=${path(field)}
      value=${value(field)}
      label=${t(field === "text" ? "finding.text" : `field.finding.${field}`)}
      disabled=${torn(field) && v.leader}
      note=${torn(field) ? t(v.leader ? "conflicts.for_you" : "conflicts.for_leader") : undefined}
      ...${more}
    />`;
  const point = pointOf(v, fields.point);
  return html`<${Page}
    title=${t("finding.title", { n: one.n })}
    sub=${dots([point && t("finding.point", { no: point.no }), t("finding.made", { name: nameOf(v, one.author), time: moment(one.at) })])}
    back=${`${home}/findings`}
    tally=${false}
    visit=${v}
    actions=${html`<button type="button" class="hit" aria-label=${t("more")} onClick=${() => setSheet("Strike")}><${Icon} name="more" /></button>`}
    dock=${html`<${CameraButton} visit=${v.id} target=${`finding:${row}`} main />`}
  >
    <${Mark} v=${v} path=${["finding", row]} pad />
    ${!one.alive && html`<${Notice} kind="calm" icon="s-alert" title=${t("finding.is_struck")}>${one.struck[0]?.val?.reason}<//>`}
    ${
      conflicts.length > 0 &&
      html`<${Notice}
        kind="conflict"
        icon="s-conflict"
        title=${t("conflicts.here", { fields: list(conflicts.map((/** @type {any} */ one) => t(`field.finding.${one.path[2]}`))) })}
      >
        <a href=${`${home}/conflicts`}>${t(v.leader ? "conflicts.settle" : "conflicts.look")}</a>
      <//>`
    }
    <div class="sheet">
      ${input("text", { lines: true, phrases: phrasesFor(v, fields.point) })}
      ${choose("severity", ["general", "major"])}
      <div class="field">
        <div class="lab">
          ${t("photos")} <b>${photos.length}</b>
          ${photos.length > 0 && html`<span class="end note">${t("photos.there", { n: there, all: photos.length })}</span>`}
        </div>
        <${PhotoStrip} visit=${v.id} target=${`finding:${row}`} photos=${photos} onOpen=${setPhoto} />
      </div>
      ${input("place")} ${choose("measure", ["on_spot", "deadline", "none"])}
      ${fields.measure === "deadline" && input("due", { type: "date", min: v.assignment.window.from.slice(0, 10) })}
      <${Item}
        title=${t("field.finding.point")}
        note=${point ? `${point.no} ${point.text}` : t("finding.no_point")}
        onClick=${() => setSheet("PointOf")}
      />
      ${input("basis", { lines: true })}
      <${Tick}
        checked=${fields.crime === true}
        title=${t("field.finding.crime")}
        note=${t("finding.crime.note")}
        onToggle=${(/** @type {boolean} */ on) => set("crime", on)}
      />
    </div>
    ${sheet && html`<${Later} of=${sheet} v=${v} one=${one} onPick=${(/** @type {string | null} */ id) => set("point", id)} onClose=${() => setSheet("")} />`}
    ${photo && html`<${Later} of="PhotoSheet" v=${v} photo=${v.media.find(({ sha256 }) => sha256 === photo.sha256) ?? photo} onClose=${() => setPhoto(null)} />`}
  <//>`;
}

/** Of several versions a member goes on with his own. @param {import("../store.js").Visit} v @param {string[]} path */
function mineOf(v, path) {
  const base = new Set(heads(v.id, path));
  const values = versionsAt(v, path);
  const own = values.find((/** @type {any} */ one) =>
    one.heads.some((/** @type {any} */ op) => base.has(`${op.rid}:${op.seq}`)),
  );
  return (own ?? values[0]).val;
}
