// The screens off the way from sign-in to final, fetched together when the first of them is wanted.

import { learn } from "../ui/words.js";
import messages from "../messages/zh-CN.later.js";

export * as conflicts from "./conflicts.js";
export * as group from "./group.js";
export * as outbox from "./outbox.js";
export * as settings from "./settings.js";
export { ExportButton } from "../ui/export.js";

learn(messages);
