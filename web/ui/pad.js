// The signature pad: mouse, finger or pen, a stroke taken back, all strokes kept as data beside the picture.

import SignaturePad from "signature_pad";
import { useEffect, useRef, useState } from "preact/hooks";
import { html, Icon } from "./html.js";
import { t } from "./words.js";

const INK = "#10243a";

/** @param {{pad: {current: any}, label: string, onChange: (empty: boolean) => void}} props `pad.current` becomes the pad */
export function Pad({ pad, label, onChange }) {
  const canvas = useRef(/** @type {HTMLCanvasElement | null} */ (null));
  const [empty, setEmpty] = useState(true);
  const changed = () => {
    setEmpty(pad.current.isEmpty());
    onChange(pad.current.isEmpty());
  };
  useEffect(() => {
    const box = /** @type {HTMLCanvasElement} */ (canvas.current);
    pad.current = new SignaturePad(box, { penColor: INK, minWidth: 1.2, maxWidth: 3.2 });
    pad.current.addEventListener("endStroke", changed);
    const fit = () => {
      const strokes = pad.current.toData();
      const ratio = Math.max(devicePixelRatio, 1);
      box.width = box.offsetWidth * ratio;
      box.height = box.offsetHeight * ratio;
      box.getContext("2d")?.scale(ratio, ratio);
      pad.current.fromData(strokes);
    };
    const watch = new ResizeObserver(fit);
    watch.observe(box);
    return () => {
      watch.disconnect();
      pad.current.off();
    };
  }, []);
  const undo = () => {
    pad.current.fromData(pad.current.toData().slice(0, -1));
    changed();
  };
  const clear = () => {
    pad.current.clear();
    changed();
  };
  return html`<div class="padbox">
      <canvas ref=${canvas} role="img" aria-label=${label}></canvas>
      ${empty && html`<p class="note">${t("sign.hint")}</p>`}
    </div>
    <div class="row">
      <button type="button" class="btn grow" aria-disabled=${empty} onClick=${undo}>
        <${Icon} name="undo" small />${t("sign.undo")}
      </button>
      <button type="button" class="btn grow" aria-disabled=${empty} onClick=${clear}>${t("sign.clear")}</button>
    </div>`;
}

/** The drawing, cut to its ink, and its strokes. @param {any} pad @returns {Promise<{png: Blob, strokes: any}>} */
export async function drawn(pad) {
  const strokes = pad.toData();
  const points = strokes.flatMap((/** @type {any} */ stroke) => stroke.points);
  const [xs, ys] = ["x", "y"].map((axis) => points.map((/** @type {any} */ point) => point[axis]));
  const [left, top] = [Math.min(...xs) - 8, Math.min(...ys) - 8];
  const [width, height] = [Math.max(...xs) - left + 8, Math.max(...ys) - top + 8];
  const paper = document.createElement("canvas");
  const scale = Math.min(2, 640 / width);
  paper.width = Math.ceil(width * scale);
  paper.height = Math.ceil(height * scale);
  const copy = new SignaturePad(paper, { penColor: INK, minWidth: 1.2, maxWidth: 3.2 });
  const context = /** @type {CanvasRenderingContext2D} */ (paper.getContext("2d"));
  context.scale(scale, scale);
  context.translate(-left, -top);
  copy.fromData(strokes);
  copy.off();
  return { png: await toPng(paper), strokes };
}

/** The typed way, for who can't draw: the app draws the name; a witness signs beside it. @param {string} name */
export async function typed(name) {
  const paper = document.createElement("canvas");
  paper.width = 480;
  paper.height = 160;
  const context = /** @type {CanvasRenderingContext2D} */ (paper.getContext("2d"));
  context.font = `64px ${getComputedStyle(document.documentElement).getPropertyValue("--serif")}`;
  context.fillStyle = INK;
  context.textBaseline = "middle";
  context.fillText(name, 16, 80, 448);
  return { png: await toPng(paper), strokes: null };
}

/** @param {HTMLCanvasElement} paper @returns {Promise<Blob>} */
const toPng = (paper) =>
  new Promise((resolve, reject) =>
    paper.toBlob((blob) => (blob ? resolve(blob) : reject(new Error("canvas"))), "image/png"),
  );
