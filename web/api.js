// Speaking with the server: each answer is one of a few outcomes, and only our own JSON counts as the server's word.

/**
 * `ok`: ours. `refused`: a 4xx of ours. `away`: nobody answered, or somebody else did (captive portal, proxy), or 429, 5xx: try again.
 * @typedef {{kind: "ok", status: number, data: any} |
 *   {kind: "refused", status: number, code: string, detail: string, retry_after: number} |
 *   {kind: "away", status: number, code: string, retry_after: number}} Outcome
 */

/** A dead line is given up after this; the request may be repeated at any time. */
const PATIENCE = 120_000;

/** @param {Response} answer */
const waitOf = (answer) => Math.max(0, Number(answer.headers.get("Retry-After")) || 0) * 1000;

/** @param {Response} answer */
async function ours(answer) {
  if (answer.status === 204) return {};
  if (!/^application\/(problem\+)?json\b/.test(answer.headers.get("Content-Type") ?? "")) return null;
  return answer.json().catch(() => null);
}

/** @param {unknown} value */
async function zipped(value) {
  const text = JSON.stringify(value);
  if (text.length < 1024 || typeof CompressionStream === "undefined") return { body: text, zip: false };
  const stream = new Blob([text]).stream().pipeThrough(new CompressionStream("gzip"));
  return { body: await new Response(stream).blob(), zip: true };
}

/**
 * @param {string} method @param {string} path @param {{token?: string | null, json?: unknown, form?: FormData}} [given]
 * @returns {Promise<Outcome>}
 */
export async function call(method, path, { token, json, form } = {}) {
  /** @type {Record<string, string>} */
  const headers = { Accept: "application/json" };
  if (token) headers.Authorization = `Bearer ${token}`;
  /** @type {BodyInit | undefined} */
  let body = form;
  if (json !== undefined) {
    const packed = await zipped(json);
    body = packed.body;
    headers["Content-Type"] = "application/json";
    if (packed.zip) headers["Content-Encoding"] = "gzip";
  }
  let answer, data;
  try {
    const signal = AbortSignal.timeout(PATIENCE);
    const settings = { method, headers, body, signal, redirect: /** @type {"manual"} */ ("manual") };
    answer = await fetch(path, { ...settings, credentials: "omit", cache: "no-store" });
    data = await ours(answer);
  } catch (error) {
    return { kind: "away", status: 0, code: /** @type {any} */ (error)?.name ?? "error", retry_after: 0 };
  }
  const { status } = answer;
  const retry_after = waitOf(answer);
  if (data && answer.ok) return { kind: "ok", status, data };
  if (status === 413 || (data && status >= 400 && status < 500 && status !== 429 && status !== 408)) {
    return { kind: "refused", status, code: data?.code ?? "too_large", detail: data?.detail ?? "", retry_after };
  }
  return { kind: "away", status, code: data?.code ?? "no_answer", retry_after };
}

/** Bytes, or null where they can't be had now. @param {string} path @param {string | null} token */
export async function bytes(path, token) {
  try {
    const headers = /** @type {Record<string, string>} */ (token ? { Authorization: `Bearer ${token}` } : {});
    const answer = await fetch(path, { headers, credentials: "omit", redirect: "error" });
    return answer.ok ? await answer.arrayBuffer() : null;
  } catch {
    return null;
  }
}
