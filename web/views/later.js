// The screens and sheets off the way from sign-in to final, fetched together when the first of them is wanted.

import { learn } from "../ui/words.js";
import messages from "../messages/zh-CN.later.js";

export * as conflicts from "./conflicts.js";
export * as evidence from "./evidence.js";
export * as group from "./group.js";
export * as outbox from "./outbox.js";
export * as recused from "./recused.js";
export * as settings from "./settings.js";
export { Changed } from "./changed.js";
export { Parts, Search } from "./checklist-sheets.js";
export { PhotoSheet } from "./evidence.js";
export { PointOf, Strike } from "./finding-sheets.js";
export { Gone, Left } from "./left.js";
export { Logged } from "./logged.js";
export { Menu } from "./menu.js";
export { Particulars } from "./particulars.js";
export { Changes, Mark, News } from "./recused.js";
export { Attempts, Circumstances, Followup, Main } from "./result-sheets.js";
export { ExportButton } from "../ui/export.js";

learn(messages);
