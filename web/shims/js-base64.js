/** What tus-js-client takes of `js-base64`: text as the base64 of its UTF-8. */
export const Base64 = {
  /** @param {string} text */
  encode: (text) => btoa(String.fromCharCode(...new TextEncoder().encode(text))),
};
