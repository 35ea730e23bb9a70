// The signature pad: mouse, finger or pen, a stroke taken back, all strokes kept as data beside the picture.

import { useEffect, useRef } from "preact/hooks";
import { html, Icon } from "./html.js";
import { ink } from "./ink.js";
import { t } from "./words.js";

/** @param {{strokes: import("./ink.js").Stroke[], label: string, onChange: (strokes: import("./ink.js").Stroke[]) => void}} props */
export function Pad({ strokes, label, onChange }) {
  const canvas = useRef(/** @type {HTMLCanvasElement | null} */ (null));
  const latest = useRef(strokes);
  latest.current = strokes;
  const paint = () => {
    const box = canvas.current;
    if (!box) return;
    const context = /** @type {CanvasRenderingContext2D} */ (box.getContext("2d"));
    box.width = box.offsetWidth * devicePixelRatio;
    box.height = box.offsetHeight * devicePixelRatio;
    context.scale(devicePixelRatio, devicePixelRatio);
    ink(context, latest.current);
  };
  useEffect(paint, [strokes]);
  useEffect(() => {
    const watch = new ResizeObserver(paint);
    watch.observe(/** @type {Element} */ (canvas.current));
    return () => watch.disconnect();
  }, []);
  const pen = (/** @type {PointerEvent} */ event) => {
    const box = /** @type {HTMLCanvasElement} */ (canvas.current);
    const begins = event.type === "pointerdown";
    if (event.button > 0 || !(begins || box.hasPointerCapture(event.pointerId))) return;
    box.setPointerCapture(event.pointerId);
    const { left, top } = box.getBoundingClientRect();
    const many = begins ? [event] : (event.getCoalescedEvents?.() ?? []);
    const points = (many.length ? many : [event]).map(
      ({ clientX, clientY, timeStamp, pressure }) =>
        /** @type {import("./ink.js").Stroke[0]} */ ([
          round(clientX - left),
          round(clientY - top),
          round(timeStamp),
          pressure,
        ]),
    );
    const done = latest.current;
    onChange(
      (latest.current = begins ? [...done, points] : [...done.slice(0, -1), [...done[done.length - 1], ...points]]),
    );
  };
  const off = !strokes.length;
  return html`<div class="padbox">
      <canvas ref=${canvas} role="img" aria-label=${label} onPointerDown=${pen} onPointerMove=${pen}></canvas>
      <p class="note">${t("sign.hint")}</p>
    </div>
    <div class="row">
      <button type="button" class="btn grow" aria-disabled=${off} onClick=${() => onChange(strokes.slice(0, -1))}>
        <${Icon} name="undo" small />${t("sign.undo")}
      </button>
      <button type="button" class="btn grow" aria-disabled=${off} onClick=${() => onChange([])}>
        ${t("sign.clear")}
      </button>
    </div>`;
}

/** @param {number} n to a tenth */
const round = (n) => Math.round(n * 10) / 10;
