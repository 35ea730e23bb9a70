// Findings of the visit: what was found, how grave, by whom; struck ones stay visible with the reason.

import { Mark, News } from "../later.js";
import { go } from "../router.js";
import { act } from "../store.js";
import { html, Icon, Tag } from "../ui/html.js";
import { attempt } from "../ui/live.js";
import { Empty, Notice, Page, Section } from "../ui/page.js";
import { dots, moment, t, word } from "../ui/words.js";
import { factsOf, findingsOf, nameOf, photosOf, pointOf } from "../reading.js";

/** @param {{v: import("../store.js").Visit}} props */
export default function Findings({ v }) {
  const all = findingsOf(v);
  const alive = all.filter((one) => one.alive);
  const struck = all.filter((one) => !one.alive);
  const home = `/app/visits/${v.id}`;
  const add = async () => {
    const row = await attempt(() => act(v.id, "add", ["finding"], {}));
    if (row) go(`${home}/findings/${encodeURIComponent(row)}`);
  };
  return html`<${Page}
    title=${t("findings.title")}
    sub=${v.assignment.subject.name}
    back=${home}
    tab="findings"
    visit=${v}
    dock=${html`<button type="button" class="btn main wide" onClick=${add}><${Icon} name="plus" />${t("findings.add")}</button>`}
  >
    <nav class="pad-all" aria-label=${t("findings.which")}>
      <div class="seg">
        <a href=${`${home}/findings`} aria-current="page">${t("findings.n", { n: alive.length })}</a
        ><a href=${`${home}/evidence`}>${t("evidence.n", { n: v.media.length })}</a>
      </div>
    </nav>
    <${News} v=${v} />
    ${
      v.view.conflicts.length > 0 &&
      html`<${Notice} kind="conflict" icon="s-conflict" title=${t("conflicts.n", { n: v.view.conflicts.length })}>
        <a href=${`${home}/conflicts`}>${t(v.leader ? "conflicts.settle" : "conflicts.look")}</a>
      <//>`
    }
    ${!alive.length && html`<${Empty} action=${html`<a class="btn" href=${`${home}/checklist`}>${t("findings.none.action")}</a>`}>${t("findings.none")}<//>`}
    ${alive.length > 0 && html`<div class="sheet">${alive.map((one) => html`<${Row} key=${one.row} v=${v} one=${one} />`)}</div>`}
    ${
      struck.length > 0 &&
      html`<${Section} title=${t("findings.struck")} end=${struck.length}>
        ${struck.map((one) => html`<${Struck} key=${one.row} v=${v} one=${one} />`)}
      <//>`
    }
  <//>`;
}

/** @param {{v: import("../store.js").Visit, one: import("../reading.js").Finding}} props */
function Row({ v, one }) {
  const { fields } = one;
  const photos = photosOf(v, `finding:${one.row}`);
  const conflicts = v.view.conflicts.filter((/** @type {any} */ conflict) => conflict.path[1] === one.row).length;
  const facts = [
    ...factsOf({ measure: fields.measure, due: fields.due }),
    photos.length > 0 && t("photos.n", { n: photos.length }),
    nameOf(v, one.author),
  ];
  return html`<a class="item" href=${`/app/visits/${v.id}/findings/${encodeURIComponent(one.row)}`}>
    <span class="grow">
      <span class="note"
        >${t("finding.title", { n: one.n })}${fields.point && ` · ${pointOf(v, fields.point)?.no ?? fields.point}`}</span
      >
      <span class="t">${fields.text || t("finding.no_text")}</span>
      <span class="d">${dots(facts)}</span>
      <span class="row">
        ${fields.severity && html`<${Tag} kind=${fields.severity === "major" ? "fail" : "calm"} icon=${fields.severity === "major" ? "s-alert" : "flag"}>${word("severity", fields.severity)}<//>`}
        ${!fields.severity && html`<${Tag} kind="due" icon="open">${t("finding.no_severity")}<//>`}
        ${fields.crime && html`<${Tag} kind="fail" icon="s-alert">${t("field.finding.crime")}<//>`}
        ${conflicts > 0 && html`<${Tag} kind="conflict" icon="s-conflict">${t("state.conflict")}<//>`}
        <${Mark} v=${v} path=${["finding", one.row]} />
      </span>
    </span>
    <${Icon} name="next" small />
  </a>`;
}

/** @param {{v: import("../store.js").Visit, one: import("../reading.js").Finding}} props */
const Struck = ({ v, one }) =>
  html`<div class="item">
    <span class="grow">
      <span class="note">${t("finding.title", { n: one.n })}</span>
      <del class="t">${one.fields.text || t("finding.no_text")}</del>
      ${one.struck.map(
        (/** @type {any} */ op) =>
          html`<span class="d"
            >${t("finding.struck", { name: nameOf(v, op.author), time: moment(op.at), reason: op.val?.reason ?? t("finding.struck.why_not") })}</span
          >`,
      )}
    </span>
    <button type="button" class="btn sm" onClick=${() => attempt(() => act(v.id, "undel", ["finding", one.row], null))}>
      ${t("finding.back")}
    </button>
  </div>`;
