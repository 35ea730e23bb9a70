// How far a visit is: the disc fills.

import { html, Tag } from "./html.js";
import { t } from "./words.js";

const PHASES = {
  dispatched: ["calm", "p-dispatched"],
  started: ["now", "p-started"],
  interrupted: ["due", "p-interrupted"],
  final_pending: ["now", "p-pending"],
  final: ["server", "p-final"],
  void: ["calm", "p-void"],
};
/** @param {{phase: keyof typeof PHASES}} props */
export const PhaseTag = ({ phase }) =>
  html`<${Tag} kind=${PHASES[phase][0]} icon=${PHASES[phase][1]}>${t(`phase.${phase}`)}<//>`;
