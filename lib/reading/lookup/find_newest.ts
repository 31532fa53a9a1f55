/**
 * Finds the newest update of one feed in two or three requests.
 *
 * @module
 */
import { getLogger } from "@logtape/logtape";
import { OnceLog } from "../../base/once_log.ts";
import type { Connection } from "../../connection.ts";
import { FeedSyncError } from "../../errors.ts";
import { shownUrl } from "../../feed_url.ts";
import { type DatedNewest, newestFirst } from "../../log/newest/names.ts";
import { compareUpdates } from "../../log/update_order.ts";
import type { NewestRow } from "../../state/newest.ts";
import type { State } from "../../state/state.ts";
import type { Update } from "../../update.ts";
import { Knowledge } from "./knowledge.ts";
import { LogReader } from "./log_reader.ts";
import { readFirst, readFromLog, readFromOutbox, type ReadOptions } from "./read_newest.ts";

const logger = getLogger(["feedsync", "read"]);

/**
 * How long an expired update is still assumed to be in the log: cleanup runs about once per hour.
 */
const CLEANUP_MS = 60 * 60 * 1000;

/**
 * Returns the newest update of the feed, which may be its removal; undefined when the feed is
 * unknown. An update younger than the retention is read from the log, at the place noted in
 * `state`. Otherwise the newer one of `newest/` and the log is returned.
 *
 * @throws {StoreUnavailableError | AccessDeniedError} when the bucket cannot be read.
 * @throws {MissingKeyError | UnsupportedFormatError} when reading it takes a key or an upgrade.
 * @throws {UnreadableError | ConfigError} when the feed is unknown, and a part of the log could not
 * be read.
 * @throws {FeedSyncError} when the update is known, but cannot be read.
 */
export async function findNewest(
  connection: Connection,
  { url, state, signal }: { url: string; state: State; signal: AbortSignal },
): Promise<Update | undefined> {
  const { log, environment: { clock } } = connection.parts!;
  const options = { log, signal, problems: new OnceLog(logger, clock) };
  const knowledge = await Knowledge.gather(connection, state, signal);
  const known = knowledge.get(url);
  if (!known) {
    const update = await readFirst(await keptOf(url, options), options);
    if (!update) knowledge.assertWhole();
    return update;
  }
  const { row } = known;
  const queued = readFromOutbox(row, known.state);
  if (queued) return queued;
  const fromLog = () => row.place && readFromLog(row.place, row.id, options);
  const isYoung = !state.restoring.isDue() && isInLog(connection, row);
  const young = isYoung ? await fromLog() : undefined;
  if (young) return young;
  const kept = await keptOf(url, options);
  const newer = kept.filter((name) => compareUpdates(name, row) >= 0);
  return await readFirst(newer, options) ??
    (isYoung ? undefined : await fromLog()) ??
    await searchLog(connection, row, signal) ??
    await readOlder(url, row, { ...options, names: kept.slice(newer.length) });
}

/** Whether the update is most likely still in the log. */
export function isInLog(
  { config: { retention }, parts }: Connection,
  { time }: Pick<NewestRow, "time">,
): boolean {
  return retention === false || parts!.log.now() - time < retention + CLEANUP_MS;
}

/** The plausible objects of the feed in `newest/`, the newest first. */
async function keptOf(url: string, { log, signal }: ReadOptions): Promise<DatedNewest[]> {
  return newestFirst(await log.newest.listFeed(url, { signal }), log.now());
}

/** Reads the whole log to find an update that is not at its noted place. */
async function searchLog(
  connection: Connection,
  { id }: NewestRow,
  signal: AbortSignal,
): Promise<Update | undefined> {
  let found: Update | undefined;
  await using reader = new LogReader(connection, (update) => {
    if (update.id === id) found = update;
  });
  await reader.poll(signal);
  return found && { ...found, superseded: false };
}

async function readOlder(
  url: string,
  { time }: NewestRow,
  { names, ...options }: ReadOptions & { readonly names: readonly DatedNewest[] },
): Promise<Update> {
  const newest = { url: shownUrl(url), known: new Date(time).toISOString() };
  const older = await readFirst(names, options);
  if (!older) {
    throw new FeedSyncError(
      `Cannot read the newest update of ${newest.url}, of ${newest.known}: it is damaged, or no ` +
        "longer in the bucket; publish the feed again",
    );
  }
  logger.warn(
    "The newest update of {url}, of {known}, is damaged, or no longer in the bucket; using the newest " +
      "readable update, of {time}",
    { ...newest, time: older.time },
  );
  return older;
}
