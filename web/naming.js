// Words for any path of a visit and for any value at it, as the screens off the main way need them.

import { date, day, list, moment, t, word } from "./ui/words.js";
import { findingsOf, itemsOf, nameOf, pointOf } from "./reading.js";

/** @import { Visit } from "./store.js" */

/** What a path is called: "问题 7 的严重程度". @param {Visit} v @param {string[]} path */
export function pathWords(v, path) {
  const [group, id, field] = path;
  if (group === "visit") return fieldWords(v, id);
  const name = word(`field.${group}`, field ?? "self");
  if (group === "answer") return t("of.answer", { no: pointOf(v, id)?.no ?? id, field: name });
  if (group === "finding") {
    const n = findingsOf(v).find(({ row }) => row === id)?.n;
    return n ? t("of.finding", { n, field: name }) : t("of.new_finding");
  }
  if (group === "media") return t("of.photo", { field: name });
  if (group === "sign") return t("of.sign", { name: nameOf(v, id) });
  return word("field", group);
}

/** @param {Visit} v @param {string} id */
function fieldWords(v, id) {
  const [field, of] = id.split(":");
  const name = field === "no_interest" ? nameOf(v, of) : (itemsOf(v).find((item) => item.id === of)?.name ?? of);
  return of ? t(`field.visit.${field}.of`, { name }) : word("field.visit", field);
}

/** What a value reads like. @param {Visit} v @param {string[]} path @param {any} val @returns {string} */
export function valueWords(v, path, val) {
  if (val === null || val === undefined) return t("value.none");
  const field = path[2] ?? path[1].split(":")[0];
  const type = (/** @type {string} */ id) => word("result", id);
  if (field === "verdict") return word("answer", val);
  if (field === "severity" || field === "measure") return word(field, val);
  if (field === "point") return pointOf(v, val)?.no ?? val;
  if (field === "due") return day(val);
  if (field === "result") return Array.isArray(val) ? list(val.map(type)) : type(val);
  if (field === "no_interest")
    return val.interest ? t("interest.has", { reason: val.reason ?? "" }) : t("interest.none");
  if (field === "arrived" || field === "left") return moment(val.at);
  if (field === "section") return list(val.map((/** @type {string} */ id) => nameOf(v, id)));
  if (field === "attempts") return t("attempts.n", { n: val.length });
  if (field === "noncooperation")
    return list([...val.circumstances.map((/** @type {string} */ id) => word("circumstance", id)), val.text]);
  if (field === "followup") return list([val.owner, val.due && date(val.due), val.text]);
  if (field === "methods") return list(val.map((/** @type {string} */ id) => word("method", id)));
  if (field === "form") return word("form", val);
  if (typeof val === "boolean") return t(val ? "yes" : "no");
  return typeof val === "string" ? val : JSON.stringify(val);
}
