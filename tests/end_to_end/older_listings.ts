/**
 * Run before a command: listings of buckets show it objects two hours older than they are, so that they expire
 * while a test waits. Longer than a day, and what was just published would seem to come from the future.
 */
const OLDER_MS = 2 * 60 * 60 * 1000;

const { fetch } = globalThis;

globalThis.fetch = async (...args) => {
  const request = new Request(...args);
  const response = await fetch(request);
  if (!new URL(request.url).searchParams.has("list-type")) return response;
  const text = (await response.text()).replace(
    /<LastModified>([^<]+)</g,
    (_, time) => `<LastModified>${new Date(Date.parse(time) - OLDER_MS).toISOString()}<`,
  );
  const headers = new Headers(response.headers);
  headers.delete("content-length");
  return new Response(text, { status: response.status, headers });
};
