// What a photograph says of itself: its size, and when and where it was taken. Read before a canvas loses it.

/** @typedef {{lat_e7: number, lon_e7: number, acc_cm: number}} Geo */
/** @typedef {{w: number | null, h: number | null, taken: string | null, geo: Geo | null}} Told */

/** @param {ArrayBuffer} data @returns {Told} */
export function exifOf(data) {
  /** @type {Told} */
  const told = { w: null, h: null, taken: null, geo: null };
  const view = new DataView(data);
  try {
    if (view.getUint32(0) === 0x89504e47) return { ...told, w: view.getUint32(16), h: view.getUint32(20) };
    if (view.getUint16(0) === 0xffd8) readJpeg(view, told);
  } catch {
    // A truncated or strange file is kept as it is; it tells nothing.
  }
  return told;
}

/** Walks the segments up to the picture's frame. @param {DataView} view @param {Told} told */
function readJpeg(view, told) {
  for (let at = 2; at < view.byteLength;) {
    const marker = view.getUint16(at);
    if (marker >= 0xffc0 && marker <= 0xffcf && ![0xffc4, 0xffc8, 0xffcc].includes(marker)) {
      told.h = view.getUint16(at + 5);
      told.w = view.getUint16(at + 7);
      return;
    }
    if (marker === 0xffe1 && view.getUint32(at + 4) === 0x45786966) readTiff(view, at + 10, told);
    at += 2 + view.getUint16(at + 2);
  }
}

/** @param {DataView} view @param {number} start @param {Told} told */
function readTiff(view, start, told) {
  const little = view.getUint16(start) === 0x4949;
  const u16 = (/** @type {number} */ at) => view.getUint16(start + at, little);
  const u32 = (/** @type {number} */ at) => view.getUint32(start + at, little);
  /** Where the value of each tag of a directory stands. @param {number} at @returns {Map<number, {at: number, count: number}>} */
  const directory = (at) =>
    new Map(
      Array.from({ length: u16(at) }, (_, i) => {
        const entry = at + 2 + i * 12;
        const [tag, type, count] = [u16(entry), u16(entry + 2), u32(entry + 4)];
        const size = count * ([0, 1, 1, 2, 4, 8][type] ?? 8);
        return [tag, { at: size > 4 ? u32(entry + 8) : entry + 8, count }];
      }),
    );
  /** @param {{at: number, count: number} | undefined} value */
  const text = (value) =>
    value
      ? String.fromCharCode(
          ...Array.from({ length: value.count }, (_, i) => view.getUint8(start + value.at + i)),
        ).replace(/\0.*$/s, "")
      : "";
  /** Degrees, minutes, seconds as 10^-7 degrees. @param {{at: number} | undefined} value @param {boolean} negative */
  const degrees = (value, negative) => {
    if (!value) return NaN;
    const [d, m, s] = [0, 8, 16].map((i) => u32(value.at + i) / u32(value.at + i + 4));
    return Math.round((d + m / 60 + s / 3600) * 1e7) * (negative ? -1 : 1);
  };
  const main = directory(u32(4));
  const [exif, gps] = [main.get(0x8769), main.get(0x8825)];
  if (exif) {
    const tags = directory(u32(exif.at));
    told.taken = timeOf(text(tags.get(0x9003)), text(tags.get(0x9011)));
  }
  if (gps) {
    const tags = directory(u32(gps.at));
    const lat_e7 = degrees(tags.get(2), text(tags.get(1)).startsWith("S"));
    const lon_e7 = degrees(tags.get(4), text(tags.get(3)).startsWith("W"));
    const error = tags.get(31);
    const acc_cm = error ? Math.round((100 * u32(error.at)) / u32(error.at + 4)) || 0 : 0;
    if (Number.isSafeInteger(lat_e7) && Number.isSafeInteger(lon_e7)) told.geo = { lat_e7, lon_e7, acc_cm };
  }
}

/** "2026:11:24 10:00:00" and "+08:00"; without an offset the camera's clock is taken for the phone's. @param {string} text @param {string} offset */
function timeOf(text, offset) {
  const parts = /^(\d{4}):(\d\d):(\d\d) (\d\d:\d\d:\d\d)/.exec(text);
  if (!parts) return null;
  const plain = `${parts[1]}-${parts[2]}-${parts[3]}T${parts[4]}`;
  const local = new Date(plain);
  if (Number.isNaN(local.getTime())) return null;
  if (/^[+-]\d\d:\d\d$/.test(offset)) return plain + offset;
  const minutes = -local.getTimezoneOffset();
  const pad = (/** @type {number} */ n) => String(Math.floor(Math.abs(n))).padStart(2, "0");
  return `${plain}${minutes < 0 ? "-" : "+"}${pad(minutes / 60)}:${pad(minutes % 60)}`;
}
