// Ink: strokes as points in time, drawn with a line that grows thinner as the pen goes faster.

export const INK = "#10243a";
const THICK = 3.4;
const THIN = 1.3;
const MARGIN = 8;

/** @typedef {[x: number, y: number, ms: number, pressure: number][]} Stroke in CSS pixels and milliseconds */

/** @param {CanvasRenderingContext2D} context @param {Stroke[]} strokes */
export function ink(context, strokes) {
  context.strokeStyle = INK;
  context.lineCap = "round";
  for (const stroke of strokes) {
    let width = (THICK + THIN) / 2;
    let [x, y] = stroke[0];
    stroke.forEach(([atX, atY, at], i) => {
      const [toX, toY, to] = stroke[i + 1] ?? [atX + 0.1, atY, at];
      const speed = Math.hypot(toX - atX, toY - atY) / Math.max(1, to - at);
      width += (Math.max(THIN, THICK - speed) - width) * 0.3;
      context.lineWidth = width;
      context.beginPath();
      context.moveTo(x, y);
      [x, y] = [(atX + toX) / 2, (atY + toY) / 2];
      context.quadraticCurveTo(atX, atY, x, y);
      context.stroke();
    });
  }
}

/** The drawing cut to its ink, as a picture, with its strokes. @param {Stroke[]} strokes */
export async function drawn(strokes) {
  const points = strokes.flat();
  const [left, right] = span(points.map(([x]) => x));
  const [top, bottom] = span(points.map(([, y]) => y));
  const scale = Math.min(2, 640 / (right - left));
  const png = await picture((right - left) * scale, (bottom - top) * scale, (context) => {
    context.scale(scale, scale);
    context.translate(-left, -top);
    ink(context, strokes);
  });
  return { png, strokes: { t: "strokes/1", points: ["x", "y", "ms", "pressure"], strokes } };
}

/** @param {number[]} values */
const span = (values) => [Math.min(...values) - MARGIN, Math.max(...values) + MARGIN];

/** The typed way, for who can't draw: the app draws the name; a witness signs beside it. @param {string} name */
export async function typed(name) {
  const png = await picture(480, 160, (context) => {
    context.font = `64px ${getComputedStyle(document.documentElement).getPropertyValue("--serif")}`;
    context.fillStyle = INK;
    context.textBaseline = "middle";
    context.fillText(name, 16, 80, 448);
  });
  return { png, strokes: null };
}

/** @param {number} width @param {number} height @param {(context: CanvasRenderingContext2D) => void} paint @returns {Promise<Blob>} */
function picture(width, height, paint) {
  const paper = Object.assign(document.createElement("canvas"), { width, height });
  paint(/** @type {CanvasRenderingContext2D} */ (paper.getContext("2d")));
  return new Promise((resolve, reject) =>
    paper.toBlob((blob) => (blob ? resolve(blob) : reject(new Error("no picture"))), "image/png"),
  );
}
