// The tus client as photos need it: one blob in one row of requests, and nothing remembered outside our own database.

import HttpStack from "tus-js-client/lib/browser/httpStack.js";
import FileSource from "tus-js-client/lib/browser/sources/FileSource.js";
import Upload from "tus-js-client/lib/upload.js";

/** What the library's own entry sets for a browser, without its streams, shells of old phones and stored addresses. */
const DEFAULTS = {
  ...Upload.defaultOptions,
  httpStack: new HttpStack(),
  fileReader: { openFile: async (/** @type {Blob} */ blob) => new FileSource(blob) },
  fingerprint: async () => null,
};

/** @param {Blob} blob @param {import("tus-js-client").UploadOptions} options @returns {import("tus-js-client").Upload} */
export const uploadOf = (blob, options) => new Upload(blob, { ...DEFAULTS, ...options });
