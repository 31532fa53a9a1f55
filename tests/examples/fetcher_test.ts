import assert from "node:assert/strict";
import { join } from "node:path";
import type { Config } from "../../lib/config/config.ts";
import { connect } from "../../lib/connect.ts";
import { connectionOf } from "../../lib/connection.ts";
import { due } from "../../lib/due.ts";
import type { FleetMember } from "../../lib/fleet/member.ts";
import { feedFileName } from "../../lib/files/feed_names.ts";
import { workspace } from "../cli/feedsync.ts";
import { pause } from "../chaos/waiting.ts";
import { onEveryStore, type TestStore } from "../end_to_end/stores.ts";
import { ROOT } from "../library/package_imports.ts";
import type { FeedKind } from "./feed_answers.ts";
import { FeedServer, type SeenRequest, type ServedFeed } from "./feed_server.ts";

const SERVERS = ["web-1", "web-2", "web-3"];

/** Longer than it takes to publish, which counts as a check before validators are told. */
const EVERY_MS = 3_000;

/** Turns may come early by a tenth of an interval, and the clocks of the parts are read in turn. */
const SHORTEST_GAP_MS = 0.9 * EVERY_MS - 50;

/** What fails is left alone for a minute, a little less by chance. */
const SHORTEST_BACKOFF_MS = 50_000;

/** Should something never come true. */
const SAFETY_NET_MS = 90_000;

/** Feeds that are fetched every interval. */
const FETCHED: FeedKind[] = [
  "etag",
  "modified",
  "gzip",
  "latin1",
  "temporary",
  "busy",
  "busyUntil",
];

/** Feeds that say where they are now. */
const ELSEWHERE: FeedKind[] = ["moved", "gone"];

/** Feeds that are fetched less often, as they ask for. */
const RARE: FeedKind[] = ["ttl", "maxAge"];

/** Feeds without a usable answer. */
const FAILING: FeedKind[] = ["slow", "closed", "truncated", "huge", "internal"];

/** A running fetcher. */
class Fetcher {
  readonly #process: Deno.ChildProcess;
  readonly #stdout: Promise<string>;
  readonly #stderr: Promise<string>;

  constructor(server: string, cwd: string) {
    const options = [
      ...["--config", `${server}.json`, "--contact", "https://reader.example/about"],
      ...["--every", `${EVERY_MS}ms`, "--timeout", "5s", "--directory", `feeds-${server}`],
    ];
    this.#process = new Deno.Command(Deno.execPath(), {
      args: [
        ...["run", "-A", "--config", join(ROOT, "deno.json")],
        ...[join(ROOT, "examples/fetcher.ts"), "feeds.opml", ...options],
      ],
      cwd,
      env: { NO_COLOR: "1", DENO_NO_UPDATE_CHECK: "1" },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.#stdout = new Response(this.#process.stdout).text();
    this.#stderr = new Response(this.#process.stderr).text();
  }

  /** Ends it as a service manager does, if it has not ended by itself. */
  async stop(): Promise<{ code: number; stdout: string; stderr: string }> {
    try {
      this.#process.kill("SIGTERM");
    } catch {
      // It has ended already.
    }
    const { code } = await this.#process.status;
    return { code, stdout: await this.#stdout, stderr: await this.#stderr };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}

/** The directory of three servers, their configurations, and the list in it. */
async function threeServers({ config }: TestStore, feeds: FeedServer) {
  const configs = SERVERS.map((server): Config => ({
    ...config,
    ...{ server, state: `${server}.db`, poll: "200ms" },
  }));
  const files = configs.map((config) => [`${config.server}.json`, JSON.stringify(config)]);
  const list = feeds.opml().replace("</body>", '<outline xmlUrl="example"/></body>');
  const home = await workspace({ ...Object.fromEntries(files), "feeds.opml": list });
  return Object.assign(home, { configs });
}

/**
 * The servers have shared the list before. Who joins a fleet waits for minutes until the others have
 * handed over what they know.
 */
async function introduce(configs: readonly Config[], directory: string, urls: readonly string[]) {
  const visit = async (change: (member: FleetMember) => Promise<unknown> = async () => {}) => {
    for (const config of configs) {
      await using sync = await connect(config, { directory });
      const { member } = connectionOf(sync).parts!;
      if (member.own) await member.look();
      await due(sync, urls, { every: EVERY_MS, limit: 0 });
      await change(member);
    }
  };
  await visit((member) => member.leave()); // Alone, each has taken all feeds.
  await visit();
  await visit(); // Now each has seen all others.
}

/** Waits until every server has saved what the feeds have now. */
async function untilSaved(directory: string, feeds: FeedServer, signal: AbortSignal) {
  const saved = feeds.feeds.filter(({ kind }) => [...FETCHED, ...RARE].includes(kind));
  for (const server of SERVERS) {
    for (const feed of saved) {
      const file = join(directory, `feeds-${server}`, feedFileName(feed.url));
      // What is fetched rarely keeps what it had at first.
      const wanted = feeds.contentOf(feed, RARE.includes(feed.kind) ? 1 : undefined);
      for (;;) {
        const content = await Deno.readFile(file).catch(() => undefined);
        if (content && wanted.length === content.length && equal(content, wanted)) break;
        signal.throwIfAborted();
        await pause(50);
      }
    }
  }
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  return a.every((byte, index) => byte === b[index]);
}

onEveryStore(
  "three fetchers fetch each feed once an interval, conditionally, as its publisher asks",
  async (store) => {
    const kinds = [...FETCHED, ...ELSEWHERE, ...RARE, ...FAILING];
    await using feeds = await FeedServer.start({ kinds });
    await using home = await threeServers(store, feeds);
    await introduce(home.configs, home.path, [...feeds.feeds.map(({ url }) => url), "example"]);
    const signal = AbortSignal.timeout(SAFETY_NET_MS);
    const isOften = ({ kind }: ServedFeed) => [...FETCHED, ...ELSEWHERE].includes(kind);
    const often = feeds.feeds.filter(isOften);
    await using stack = new AsyncDisposableStack();
    const fetchers = SERVERS.map((server) => stack.use(new Fetcher(server, home.path)));

    await feeds.until(() => feeds.feeds.every((feed) => feeds.of(feed).length > 0), signal);
    await feeds.until(() => often.every((feed) => feeds.of(feed).length >= 2), signal);
    const changedAt = feeds.change();
    await feeds.until(() => often.every((feed) => feeds.of(feed, changedAt).length >= 1), signal);
    await untilSaved(home.path, feeds, signal);

    for (const { code, stdout, stderr } of await Promise.all(fetchers.map((f) => f.stop()))) {
      assert.equal(code, 0, stderr);
      assert.match(stderr, /^\S.*"example".*\n$/s); // What is no URL is told, once.
      assert.match(stdout, /is the next turn of http:.*: (200|304)\n/);
    }
    for (const feed of feeds.feeds) assertPolite(feed, feeds.of(feed));
    assert.deepEqual([...new Set(feeds.requests.map(({ client }) => client))].sort(), SERVERS);
  },
);

function assertPolite(feed: ServedFeed, requests: readonly SeenRequest[]): void {
  const shown = JSON.stringify(requests, undefined, 2);
  assert.equal(new Set(requests.map(({ client }) => client)).size, 1, shown);
  const isRare = [...RARE, ...FAILING].includes(feed.kind);
  const shortestMs = isRare ? SHORTEST_BACKOFF_MS : SHORTEST_GAP_MS;
  const known = requests.findIndex(({ status, hasValidators }) => status === 200 && hasValidators);
  for (const [index, request] of requests.entries()) {
    assert.match(request.userAgent, /^\S+\/\S+ \(\+https:\/\/reader\.example\/about; web-\d\)$/);
    assert.equal(request.isConditional, known >= 0 && index > known, shown);
    if (index === 0) continue;
    const before = requests[index - 1];
    assert.ok(request.time - before.time >= shortestMs, shown);
    assert.ok(request.time >= before.retryAt, shown);
  }
}
