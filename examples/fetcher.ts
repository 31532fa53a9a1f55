/**
 * A polite fetcher. It shares a list of feeds with the fetchers on other servers: each feed is
 * fetched by one of them, and `save` gets its newest content on all. Copy it, and put your own
 * storage into `save`.
 *
 * ```sh
 * deno run -A examples/fetcher.ts subscriptions.opml --contact https://reader.example/about
 * ```
 *
 * The configuration is `feedsync.json`, without comments. `--contact` tells publishers who you are.
 *
 * @module
 */
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { checked, connect, due, parseFeedList, publish, watch } from "@feedsync/feedsync";
import { contentBytes, contentFromBytes, normalizeFeedUrl } from "@feedsync/feedsync";
import type { CheckOutcome, DueTurn, Update } from "@feedsync/feedsync";
import { feedFileName, parseDuration, shownUrl } from "@feedsync/feedsync/plugin";

const MAX_AT_ONCE = 50, MAX_REDIRECTS = 5, MAX_BYTES = 10_000_000;

const { values: options, positionals: [list] } = parseArgs({
  allowPositionals: true,
  options: {
    config: { type: "string", default: "feedsync.json" },
    contact: { type: "string" },
    every: { type: "string", default: "15m" },
    timeout: { type: "string", default: "30s" },
    directory: { type: "string", default: "feeds" },
  },
});
if (!list || !options.contact) throw new Error("Usage: fetcher.ts LIST --contact URL");

const config = JSON.parse(await Deno.readTextFile(options.config));
await using sync = await connect({ state: "fetcher.db", ...config, includeOwn: true });
// Then every feed would be due each second.
if (!sync.enabled) throw new Error("feedsync is disabled in the configuration");
await Deno.mkdir(options.directory, { recursive: true });

// The first signal lets running fetches finish; a second one ends the process.
const stop = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => stop.abort());

await using watcher = watch(sync, save);
watcher.finished.catch((error) => { // For example, the store refuses.
  console.error(error);
  process.exitCode = 1;
  stop.abort();
});

const urls = new Set(await parseFeedList(await Deno.readFile(list)));
const running = new Set<Promise<void>>();
while (!stop.signal.aborted) {
  const limit = MAX_AT_ONCE - running.size;
  const turns = limit > 0 ? await due(sync, urls, { every: options.every, limit }) : [];
  for (const turn of turns) {
    if (turn.due) {
      const check = checkFeed(turn).catch(console.error).finally(() => running.delete(check));
      running.add(check);
    } else if (turn.reason === "invalid") {
      console.error(turn.problem);
      urls.delete(turn.url);
    }
  }
  await sleep(1_000, undefined, { signal: stop.signal }).catch(() => {});
}
await Promise.all(running);

/** Fetches a feed, publishes what has changed, and tells what came of it. */
async function checkFeed({ url, headers }: DueTurn): Promise<void> {
  const outcome = await fetchFeed(url, headers)
    .catch((error): CheckOutcome => ({ error: String(error.cause ?? error) }));
  const { status, content, error } = outcome;
  if (content !== undefined) {
    // Queued if the store cannot be reached now.
    await publish(sync, { url, content }, { ifChanged: true }).catch(console.error);
  }
  const { next, movedTo, gone } = await checked(sync, url, outcome);
  const advice = movedTo ? `, moved to ${movedTo}: change the list` : gone ? ", gone" : "";
  console.log(`${next} is the next turn of ${shownUrl(url)}: ${error ?? status}${advice}`);
}

async function fetchFeed(url: string, conditions: DueTurn["headers"]): Promise<CheckOutcome> {
  const response = await request(url, {
    ...conditions,
    "user-agent": `example-fetcher/1.0 (+${options.contact}; ${sync.server})`,
  });
  const { status, headers } = response;
  if (status === 200) {
    const content = contentFromBytes(await readBody(response));
    const minutes = /<ttl>\s*(\d{1,6})\s*<\/ttl>/.exec(String(content))?.[1];
    return { status, headers, content, ttl: minutes && `${minutes}m` };
  }
  await response.body?.cancel();
  // Who is asked too often means all requests, not only those for this feed.
  return { status, headers, scope: "host" };
}

/** Follows temporary redirects. What has moved permanently is for whoever keeps the list. */
async function request(url: string, headers: HeadersInit): Promise<Response> {
  const signal = AbortSignal.timeout(parseDuration(options.timeout));
  for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects++) {
    const response = await fetch(url, { headers, redirect: "manual", signal });
    const location = response.headers.get("location");
    if (![302, 303, 307].includes(response.status) || location === null) return response;
    await response.body?.cancel();
    url = normalizeFeedUrl(new URL(location, url)); // Throws for file: and the like.
  }
  throw new Error("too many redirects");
}

/** Counts what was decompressed: a small answer can become a large one. */
async function readBody({ body }: Response): Promise<Uint8Array> {
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  let size = 0;
  for await (const chunk of body ?? []) {
    chunks.push(chunk);
    if ((size += chunk.length) > MAX_BYTES) throw new Error(`more than ${MAX_BYTES} bytes`);
  }
  if (size === 0) throw new Error("no content");
  return await new Blob(chunks).bytes();
}

/** Called with what this server and all others publish. */
async function save(update: Update): Promise<void> {
  const content = contentBytes(update);
  if (update.superseded || content === undefined) return; // There is a newer one, or it is gone.
  await Deno.writeFile(`${options.directory}/${feedFileName(update.url)}`, content);
}
