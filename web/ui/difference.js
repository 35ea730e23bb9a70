// Where two texts differ: what is new in one of them is underlined.

import { html } from "./html.js";

/** @param {{text: string, other: string}} props */
export function Difference({ text, other }) {
  let start = 0;
  while (start < text.length && text[start] === other[start]) start++;
  let end = 0;
  while (end < text.length - start && end < other.length - start && text.at(-1 - end) === other.at(-1 - end)) end++;
  const middle = text.slice(start, text.length - end);
  if (!middle || start + end < 2) return text;
  return html`${text.slice(0, start)}<ins>${middle}</ins>${text.slice(text.length - end)}`;
}
