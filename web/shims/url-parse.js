/** What tus-js-client takes of `url-parse`: the resolution of an upload's address against the one it was asked at. */
export default class URLParse {
  /** @param {string} location @param {string} base */
  constructor(location, base) {
    this.href = new URL(location, new URL(base, document.baseURI)).href;
  }

  toString() {
    return this.href;
  }
}
