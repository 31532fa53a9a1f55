/**
 * Lists feeds: those that are known here, then those that are only in the bucket.
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
import {
  compareNewest,
  type DatedNewest,
  hasPlausibleTime,
  newestFirst,
} from "../../log/newest/names.ts";
import { HASH_BATCH } from "../../log/newest/newest_log.ts";
import { compareUpdates } from "../../log/update_order.ts";
import type { KnownFeed } from "../../state/newest.ts";
import type { State } from "../../state/state.ts";
import { contentBytes, type Update } from "../../update.ts";
import { Knowledge } from "./knowledge.ts";
import { readFirst, type ReadOptions } from "./read_newest.ts";

const logger = getLogger(["feedsync", "read"]);

/** A feed, with data about its newest update. */
export interface FeedInfo {
  /** URL of the feed. */
  readonly url: string;
  /** When the update was published: ISO 8601 with milliseconds, UTC, by the store's clock. */
  readonly time: string;
  /** Name of the server that published it; absent when a state of version 0.1 noted it. */
  readonly server?: string | undefined;
  /** Whether the feed is gone. */
  readonly removed: boolean;
  /**
   * Size of the content in bytes, as {@linkcode contentBytes} returns it; absent for feeds that
   * this server knows, since their content is not read.
   */
  readonly size?: number | undefined;
}

/** Options of {@linkcode listFeeds}. */
export interface ListFeedsOptions {
  /** The state of this server. */
  readonly state: State;
  /** Only feeds whose newest update was published then or later, in milliseconds since 1970. */
  readonly since: number;
  /** Only feeds whose newest update this server published. @default all feeds */
  readonly server: string | undefined;
  /** Aborts listing. */
  readonly signal: AbortSignal;
}

/** Maximum number of concurrent reads. */
const PARALLEL_READS = 16;

/** The greatest name of each group, by hash. */
type Groups = Map<string, DatedNewest>;

/**
 * Lists the feeds in `state` and the log, by URL; then those that are only in `newest/`, which must
 * be read.
 *
 * @throws {UnreadableError | ConfigError} at the end, when a part of the log could not be read.
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

/** Lists the groups in `newest/` that were updated at `since` or later. */
async function listGroups({ log, signal }: ReadOptions, since: number): Promise<Groups> {
  const groups: Groups = new Map();
  for await (const name of log.newest.list({ signal })) {
    if (name.time < since || !hasPlausibleTime(name, log.now())) continue;
    const known = groups.get(name.hash);
    if (!known || compareNewest(known, name) < 0) groups.set(name.hash, name);
  }
  return groups;
}

/** Yields the rows with all hashes of their URLs. */
async function* withHashes(
  rows: Iterable<KnownFeed>,
  { newest }: BucketLog,
): AsyncIterable<{ readonly row: KnownFeed; readonly hashes: readonly string[] }> {
  const hash = async (row: KnownFeed) => ({ row, hashes: await newest.hashesOf(row.url) });
  let hashing: ReturnType<typeof hash>[] = [];
  for (const row of rows) {
    if (hashing.push(hash(row)) < HASH_BATCH) continue;
    yield* await Promise.all(hashing);
    hashing = [];
  }
  yield* await Promise.all(hashing);
}

/** Removes the groups of a feed; returns their greatest name if it is newer than the row. */
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

/** Reads the remaining groups in parallel; yields each feed once. */
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

/** Whether no other group of the same feed has a greater name. */
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

/** Reads the newest update of a group; logs and returns undefined when none can be read. */
async function readGroup(greatest: DatedNewest, options: ReadOptions): Promise<Update | undefined> {
  const { log, problems, signal } = options;
  try {
    const update = await readFirst([greatest], options);
    if (update) return update;
    const names = newestFirst(await log.newest.listGroup(greatest.hash, { signal }), log.now());
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
