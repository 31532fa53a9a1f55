/**
 * A program that uses the package as strictly as TypeScript can check it: see consumer_test.ts. Lines
 * that must not compile are marked.
 *
 * @module
 */
import {
  type AnyPlugin,
  BackendUnavailableError,
  cleanup,
  type Config,
  connect,
  type ConnectConfig,
  contentBytes,
  deadLetters,
  definePlugin,
  type FailedUpdate,
  type FeedSync,
  type Gap,
  type PluginEntry,
  publish,
  RejectedUpdateError,
  StoreUnavailableError,
  type Update,
  type UpdateInput,
  updateToJson,
  watch,
  watchFiles,
} from "@feedsync/feedsync";
import exec from "@feedsync/feedsync/plugins/exec";
import log from "@feedsync/feedsync/plugins/log";
import mirror, { type MirrorOptions } from "@feedsync/feedsync/plugins/mirror";
import sqlite from "@feedsync/feedsync/plugins/sqlite";
import webhook from "@feedsync/feedsync/plugins/webhook";
import { testPlugin } from "@feedsync/feedsync/testing";
import { z } from "zod";

interface Item {
  readonly title: string;
  readonly link?: string | undefined;
  readonly categories: readonly string[];
}

interface Feed {
  title: string;
  items: readonly Item[];
  next: Feed | null;
}

/** What a program may have or not have: `undefined` is as good as absent everywhere. */
interface Given {
  readonly signal: AbortSignal | undefined;
  readonly text: string | undefined;
  readonly flag: boolean | undefined;
  readonly etag: string | undefined;
}

export async function connecting({ text, flag }: Given): Promise<FeedSync> {
  const config: Config = {
    enabled: flag,
    server: text,
    store: text,
    state: text,
    poll: text,
    from: undefined,
    retention: undefined,
    wake: { listen: text, peers: undefined, secret: text, queues: undefined, marker: flag },
    includeOwn: flag,
    files: { directory: "feeds", settle: text, rescan: text, publishRemovals: flag },
    s3: { endpoint: text, region: text, forcePathStyle: flag, assumeRole: undefined },
    encryption: undefined,
    plugins: undefined,
    stopTimeout: text,
  };
  await connect({ ...config, store: "file:store" });
  const readOnly = { plugins: ["log", ["mirror", { directory: "feeds" }]] } as const;
  await connect(readOnly);
  const entries: PluginEntry[] = ["log", [mirror, { directory: "feeds" }], log];
  await connect({ plugins: entries }, { directory: text });
  const typed: ConnectConfig = config;
  return await connect(typed);
}

export async function pluginsWithOptions(sync: FeedSync): Promise<void> {
  const options: MirrorOptions = { directory: "feeds" };
  await connect({
    plugins: [
      "log",
      [mirror, options],
      [log, { format: "json" }],
      [exec, { command: ["true", "--quick"] }],
      [sqlite, { path: "feeds.db", table: "feeds" }],
      [webhook, { url: "https://example.com/", secretEnv: "SECRET", timeout: 5000 }],
    ],
  });
  // @ts-expect-error: it is a text
  await connect({ plugins: [[mirror, { directory: 1 }]] });
  // @ts-expect-error: there is no such option
  await connect({ plugins: [[mirror, { directory: "feeds", directries: "x" }]] });
  // @ts-expect-error: the directory is required
  await connect({ plugins: [mirror] });
  // @ts-expect-error: there is no such format
  watch(sync, [[log, { format: "xml" }]]);
  // @ts-expect-error: the directory is required
  watch(sync, mirror);
  // @ts-expect-error: a command is required
  watch(sync, [[exec, { command: [] }]]);
  // @ts-expect-error: it is a text
  watch(sync, [[sqlite, { path: 1 }]]);
  // @ts-expect-error: the URL is required
  watch(sync, [[webhook, { secretEnv: "SECRET" }]]);
  await using test = await testPlugin([mirror, { directory: "feeds" }]);
  await test.update({ url: "https://example.com/", content: { title: "x" }, removed: undefined });
}

export async function ownPlugins(sync: FeedSync): Promise<void> {
  const plain = definePlugin({
    name: "plain",
    onUpdate: (update) => void (update.removed ? update.content : contentBytes(update)),
  });
  const counter = definePlugin({
    name: "counter",
    options: z.strictObject({ label: z.string(), loud: z.boolean().default(false) }),
    setup: ({ options }) => ({ seen: 0, label: options.label.toUpperCase() }),
    onUpdate(_update, { options, state }) {
      const loud: boolean = options.loud;
      state.seen += loud ? 2 : 1;
    },
    close: ({ state }) => console.log(state.label, state.seen),
  });
  const byHand = definePlugin({
    name: "by-hand",
    options: { parse: (value: unknown) => ({ limit: 10, ...value as { limit?: number } }) },
    onUpdate(_update, { options }) {
      if (options.limit > 10) throw new RejectedUpdateError("enough");
    },
  });
  watch(sync, plain);
  watch(sync, [plain, byHand, [byHand, { limit: 5 }], [counter, { label: "x" }]]);
  const several: readonly AnyPlugin[] = [plain, byHand];
  watch(sync, several);
  // @ts-expect-error: it takes no options
  watch(sync, [[plain, { label: "x" }]]);
  // @ts-expect-error: a label is required
  watch(sync, [counter]);
  // @ts-expect-error: it is a number
  watch(sync, [[byHand, { limit: "5" }]]);
  await using test = await testPlugin([counter, { label: "x" }]);
  await test.update();
}

export async function publishing(sync: FeedSync, feed: Feed, given: Given): Promise<void> {
  const { signal, flag, etag } = given;
  const url = new URL("https://example.com/feed.xml");
  const items: readonly Item[] = feed.items;
  await publish(sync, { url, content: feed, metadata: { etag } }, { signal, ifChanged: flag });
  await publish(sync, { url, content: items });
  await publish(sync, { url: url.href, content: new Uint8Array([1, 2]), metadata: undefined });
  await publish(sync, { url, content: { title: "x", tags: ["a"] as const, none: undefined } });
  const record: Record<string, unknown> = { title: "x" };
  await publish(sync, { url, content: record, metadata: record });
  await publish(sync, { url, content: null, metadata: feed.items[0] });
  const removed: boolean = flag ?? false;
  await publish(sync, removed ? { url, removed } : { url, removed, content: "<rss/>" });
  const updates: readonly UpdateInput[] = items.map((content) => ({ url, content }));
  const receipts = await publish(sync, updates);
  const first = receipts[0];
  if (first?.status === "published") console.log(first.seq);
  // @ts-expect-error: a function is no JSON
  await publish(sync, { url, content: () => "x" });
  // @ts-expect-error: nor is it in an array
  await publish(sync, { url, content: [() => "x"] });
  // @ts-expect-error: a date is no JSON
  await publish(sync, { url, content: new Date() });
  // @ts-expect-error: nor is it in an array
  await publish(sync, { url, content: [new Date()] });
  // @ts-expect-error: a map is no JSON
  await publish(sync, { url, content: new Map() });
  // @ts-expect-error: nor is undefined in an array
  await publish(sync, { url, content: [undefined] });
  // @ts-expect-error: nor is a bigint
  await publish(sync, { url, content: 1n });
  // @ts-expect-error: an array is no metadata
  await publish(sync, { url, content: "", metadata: ["a"] });
  // @ts-expect-error: a URL is required
  await publish(sync, { content: "" });
}

export function describe(update: Update): string {
  if (update.removed) {
    const none: undefined = update.content;
    return `${update.url} is gone ${none}`;
  }
  // Content is there in all other updates.
  const { content } = update;
  if (typeof content === "string") return content;
  if (content instanceof Uint8Array) return `${content.length} bytes`;
  if (Array.isArray(content)) return `${content.length} items`;
  return JSON.stringify(updateToJson(update));
}

/** An update that arrived can be published as it is. */
export async function forward(from: FeedSync, to: FeedSync, { signal, flag }: Given) {
  const failures: FailedUpdate[] = [], gaps: Gap[] = [];
  await using watcher = watch(from, async (update, context) => {
    await publish(to, update, { signal: context.signal });
  }, {
    signal,
    manual: flag,
    onGap: flag ? (gap) => void gaps.push(gap) : undefined,
    onDeadLetter: (failed) => void failures.push(failed),
  });
  const { applied, failed, unreadable } = await watcher.poll();
  console.log(applied + failed, unreadable.map(({ key }) => key));
  await using files = watchFiles(from, undefined, { settle: undefined, manual: flag });
  const { published } = await files.scan(signal);
  const report = await cleanup(from, { maxAge: undefined, dryRun: flag, signal });
  return published + report.deleted;
}

export async function retrying(sync: FeedSync, { signal, flag }: Given) {
  const ids = flag ? [1] : undefined;
  const receiver = flag ? (update: Update) => console.log(update.url) : undefined;
  await deadLetters(sync).retry({ ids, receiver, onRetried: undefined, signal });
  await using watcher = watch(sync, [], { manual: flag, outagePatience: flag ? "1m" : undefined });
  await using test = await testPlugin(log);
  await test.update({ url: undefined, time: undefined, superseded: flag, content: undefined });
  return watcher;
}

/** As a plugin does whose backend says how long to wait, or not. */
export function unavailable(retryAfterMs: number | undefined): Error {
  return new BackendUnavailableError("Too many requests", { retryAfterMs });
}

export function explain(error: unknown): string {
  return error instanceof StoreUnavailableError ? `${error.queued} queued` : String(error);
}
