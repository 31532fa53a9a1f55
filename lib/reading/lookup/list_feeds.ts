/**
 * Listing feeds: those that are known here, and those of which only the bucket knows.
 *
 * @module
 */
import { getLogger } from "@logtape/logtape";
import { OnceLog } from "../../base/once_log.ts";
import type { Connection } from "../../connection.ts";
import { isLocked, messageOf } from "../../errors.ts";
import { feedIdentity } from "../../feed_url.ts";
import type { BucketLog } from "../../log/bucket_log.ts";
import { serverOf } from "../../log/names.ts";
import { compareNewest, type DatedNewest } from "../../log/newest/names.ts";
import { compareUpdates, isPlausible } from "../../log/update_order.ts";
import type { KnownFeed } from "../../state/newest.ts";
import type { State } from "../../state/state.ts";
import { contentBytes, type Update } from "../../update.ts";
import { Knowledge } from "./knowledge.ts";
import { byTime, readFirst, type ReadOptions } from "./read_newest.ts";

const logger = getLogger(["feedsync", "read"]);

/** What is known of a feed and its newest update. */
export interface FeedInfo {
  /** Its URL. */
  readonly url: string;
  /** When it was published, ISO 8601 with milliseconds, UTC, by the store's clock. */
  readonly time: string;
  /** Name of the server that published it; absent when a state of version 0.1 does not tell. */
  readonly server?: string | undefined;
  /** Whether it says that the feed is gone. */
  readonly removed: boolean;
  /**
   * Bytes of its content as {@linkcode contentBytes} returns it; absent when nothing but reading it would
   * tell: where this server knows the feed already.
   */
  readonly size?: number | undefined;
}

/** Which feeds, and where to look. */
export interface ListFeedsOptions {
  /** What this server knows. */
  readonly state: State;
  /** Only those whose newest update was published at this time or later, in milliseconds since 1970. */
  readonly since: number;
  /** Only those whose newest update this server published. @default of all servers */
  readonly server: string | undefined;
  /** Ends it. */
  readonly signal: AbortSignal;
}

/** How many updates are read at once. */
const PARALLEL_READS = 16;

/** How many URLs are hashed at once. */
const HASHED_AT_ONCE = 1000;

/** By hash: the greatest name of each group. */
type Groups = Map<string, DatedNewest>;

/**
 * Lists the feeds that `state` or the log knows, by URL, and after them those that are kept for good and
 * nobody here knows: these have to be read.
 *
 * @throws {UnreadableError | ConfigError} in the end, when some of the log could not be read.
 */
export async function* listFeeds(
  connection: Connection,
  { state, since, server, signal }: ListFeedsOptions,
): AsyncGenerator<FeedInfo> {
  const { log, environment: { clock } } = connection.parts!;
  const options = { log, signal, problems: new OnceLog(logger, clock) };
  const knowledge = await Knowledge.gather(connection, state, signal);
  const groups = await listGroups(options, since);
  const isWanted = (feed: FeedInfo) => server === undefined || feed.server === server;
  for await (const { row, hashes } of withHashes(knowledge.all({ since }), log)) {
    const newer = takeNewer(groups, row, hashes);
    const update = newer && await readGroup(newer, options);
    const feed = update && Date.parse(update.time) >= row.time ? infoOf(update) : infoOfRow(row);
    if (isWanted(feed)) yield feed;
  }
  for await (const update of readGroups(groups, options)) {
    const isStale = Date.parse(update.time) < since ||
      (knowledge.get(update.url)?.row.time ?? -1) > Date.parse(update.time);
    const feed = infoOf(update);
    if (!isStale && isWanted(feed)) yield feed;
  }
  knowledge.assertWhole();
}

/** Lists what is kept of all feeds, as far as it was published at `since` or later. */
async function listGroups({ log, signal }: ReadOptions, since: number): Promise<Groups> {
  const groups: Groups = new Map();
  for await (const name of log.newest.list({ signal })) {
    if (name.time < since || !isPlausible(name.time, name.lastModified ?? log.now())) continue;
    const known = groups.get(name.hash);
    if (!known || compareNewest(known, name) < 0) groups.set(name.hash, name);
  }
  return groups;
}

/** The rows with all hashes of their URLs, many at a time: one after the other takes ten times as long. */
async function* withHashes(
  rows: Iterable<KnownFeed>,
  { newest }: BucketLog,
): AsyncIterable<{ readonly row: KnownFeed; readonly hashes: readonly string[] }> {
  const hash = async (row: KnownFeed) => ({ row, hashes: await newest.hashesOf(row.url) });
  let hashing: ReturnType<typeof hash>[] = [];
  for (const row of rows) {
    if (hashing.push(hash(row)) < HASHED_AT_ONCE) continue;
    yield* await Promise.all(hashing);
    hashing = [];
  }
  yield* await Promise.all(hashing);
}

/** Takes the groups of a feed away; returns the greatest name in them if it is newer than the row. */
function takeNewer(
  groups: Groups,
  row: KnownFeed,
  hashes: readonly string[],
): DatedNewest | undefined {
  let newest: DatedNewest | undefined;
  for (const hash of hashes) {
    const name = groups.get(hash);
    groups.delete(hash);
    if (!name || compareUpdates(name, row) <= 0) continue;
    if (!newest || compareNewest(newest, name) < 0) newest = name;
  }
  return newest;
}

/** Reads all that is left, several at a time, each feed once. */
async function* readGroups(groups: Groups, options: ReadOptions): AsyncIterable<Update> {
  const hashes = [...groups.keys()];
  for (let from = 0; from < hashes.length; from += PARALLEL_READS) {
    const some = hashes.slice(from, from + PARALLEL_READS);
    const updates = await Promise.all(some.map((hash) => readGroup(groups.get(hash)!, options)));
    for (const [index, update] of updates.entries()) {
      if (update && await isGreatest(groups, { update, hash: some[index] }, options)) yield update;
    }
  }
}

/** Whether no other group of the same feed, with or without a key, has a greater name. */
async function isGreatest(
  groups: Groups,
  { update, hash }: { update: Update; hash: string },
  { log }: ReadOptions,
): Promise<boolean> {
  const hashes = await log.newest.hashesOf(update.url);
  const name = groups.get(hash)!;
  return hashes.every((other) => {
    const its = groups.get(other);
    if (!its || other === hash) return true;
    return (compareNewest(its, name) || hashes.indexOf(hash) - hashes.indexOf(other)) <= 0;
  });
}

/** The newest update of a group; undefined when none can be read, of which the log tells. */
async function readGroup(greatest: DatedNewest, options: ReadOptions): Promise<Update | undefined> {
  const { log, problems, signal } = options;
  try {
    const update = await readFirst([greatest], options);
    if (update) return update;
    const names = byTime(await log.newest.listGroup(greatest.hash, { signal }), log.now());
    return await readFirst(names.filter(({ key }) => key !== greatest.key), options);
  } catch (error) {
    if (!isLocked(error)) throw error;
    const text = "{message}; its feed is not listed";
    problems.problem(greatest.key, { text, properties: { message: messageOf(error) } });
    return undefined;
  }
}

function infoOfRow({ url, time, place, hash }: KnownFeed): FeedInfo {
  return {
    url,
    time: new Date(time).toISOString(),
    server: place && serverOf(place.stream),
    removed: hash === null,
  };
}

function infoOf(update: Update): FeedInfo {
  const { url, time, server, removed = false } = update;
  return {
    ...{ url: feedIdentity(url), time, server, removed },
    size: contentBytes(update)?.length ?? 0,
  };
}
