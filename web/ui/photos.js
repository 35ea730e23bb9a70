// Photos: camera and gallery, many at once, where each came from, and beneath each where it is now; videos are only named.

import { useEffect, useRef, useState } from "preact/hooks";
import { addPhotos, mediaUrl } from "../store.js";
import { html, Icon, Tag } from "./html.js";
import { attempt, say } from "./live.js";
import { t } from "./words.js";

const ICONS = {
  saved: "s-phone",
  sending: "s-sending",
  server: "s-server",
  elsewhere: "s-phone",
  attention: "s-alert",
};

/** @param {{photo: import("../store.js").Photo}} props */
export const PhotoState = ({ photo }) =>
  html`<${Tag} kind=${photo.state} icon=${ICONS[photo.state]}>${t(`photo.${photo.state}`, { n: photo.progress })}<//>`;

/** @param {{visit: string, sha256: string, as?: "thumb" | "small", cls?: string, alt: string}} props */
export function Picture({ visit, sha256, as = "thumb", cls = "pic", alt }) {
  const [url, setUrl] = useState(/** @type {string | null} */ (null));
  useEffect(() => {
    let on = true;
    mediaUrl(visit, sha256, as).then((got) => on && setUrl(got));
    return () => void (on = false);
  }, [visit, sha256, as]);
  return url
    ? html`<img class=${cls} src=${url} alt=${alt} />`
    : html`<span class=${cls} role="img" aria-label=${alt}></span>`;
}

/** @param {{photo: import("../store.js").Photo, visit: string, onOpen?: () => void}} props */
export const Shot = ({ photo, visit, onOpen }) =>
  html`<button type="button" class="shot" onClick=${onOpen}>
    <${Picture} visit=${visit} sha256=${photo.sha256} alt=${photo.caption || t("photo.alt")} />
    <span class="src">${t(photo.mime.startsWith("image/") ? `source.${photo.source}` : "photo.video")}</span
    ><${PhotoState} photo=${photo} />
  </button>`;

/** A hidden input that a visible control opens. It is emptied after use, else choosing the same photo again fires nothing.
 * @param {string} visit @param {string} target @param {"camera" | "gallery"} source */
export function usePicker(visit, target, source) {
  const input = useRef(/** @type {HTMLInputElement | null} */ (null));
  const [progress, setProgress] = useState("");
  const take = async () => {
    const box = /** @type {HTMLInputElement} */ (input.current);
    const files = [...(box.files ?? [])];
    if (!files.length) return;
    setProgress(t("photo.keeping", { n: 0, of: files.length }));
    const kept = await attempt(() =>
      addPhotos(visit, target, files, source, ({ n, of }) => setProgress(t("photo.keeping", { n, of }))),
    );
    box.value = "";
    setProgress("");
    if (kept) {
      navigator.vibrate?.(20);
      say(t("photo.kept", { n: kept.length }));
    }
  };
  const element = html`<input
    ref=${input}
    type="file"
    hidden
    accept=${source === "camera" ? "image/*" : "image/*,video/*"}
    multiple=${source === "gallery"}
    capture=${source === "camera" ? "environment" : undefined}
    data-source=${source}
    onChange=${take}
  />`;
  return { element, progress, open: () => input.current?.click() };
}

/** @param {{visit: string, target: string, main?: boolean, cls?: string}} props */
export function CameraButton({ visit, target, main, cls = "btn quiet sm" }) {
  const { element, progress, open } = usePicker(visit, target, "camera");
  return html`<button type="button" class=${main ? "btn main wide" : cls} onClick=${open}>
      <${Icon} name="camera" small=${!main} />${progress || t(main ? "photo.camera.main" : "photo.camera")}</button
    >${element}`;
}

/** The strip: three across, then a place to choose from the gallery.
 * @param {{visit: string, target: string, photos: import("../store.js").Photo[], onOpen?: (photo: any) => void}} props */
export function PhotoStrip({ visit, target, photos, onOpen }) {
  const { element, progress, open } = usePicker(visit, target, "gallery");
  return html`<div class="photos">
    ${photos.map((photo) => html`<${Shot} key=${photo.sha256} photo=${photo} visit=${visit} onOpen=${() => onOpen?.(photo)} />`)}
    <div>
      <button type="button" class="addshot" onClick=${open}>
        <${Icon} name="gallery" />${progress || t("photo.gallery")}
      </button>
      ${element}
    </div>
  </div>`;
}
