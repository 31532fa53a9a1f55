/**
 * What the page can do: retry and drop dead letters, by the requests that programs use.
 *
 * @module
 */

/**
 * Delivers dead letters once more: those with `ids`, or all. Resolves to what became of each.
 *
 * @param {readonly number[]} [ids]
 * @returns {Promise<{ id: number, status: "applied" | "failed" }[]>}
 */
export async function retry(ids) {
  const text = await send("POST", "v1/dead-letters/retry", JSON.stringify({ ids }));
  const lines = text.split("\n").filter(Boolean).map((line) => JSON.parse(line));
  const failed = lines.find(({ error }) => typeof error === "object");
  if (failed) throw new Error(failed.error.message);
  return lines;
}

/**
 * Drops a dead letter.
 *
 * @param {number} id
 */
export async function drop(id) {
  await send("DELETE", `v1/dead-letters?id=${id}`);
}

/**
 * @param {string} method
 * @param {string} path
 * @param {string} [body]
 * @returns {Promise<string>}
 */
async function send(method, path, body) {
  let response;
  try {
    const headers = { "Content-Type": "application/json" };
    response = await fetch(path, { method, body, headers: body === undefined ? {} : headers });
  } catch {
    throw new Error("feedsync does not answer");
  }
  const text = await response.text();
  if (!response.ok) throw new Error(JSON.parse(text).error.message);
  return text;
}
