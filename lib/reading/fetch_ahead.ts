/**
 * Prefetches the objects of a stream.
 *
 * @module
 */
import type { BucketLog, PackedObject } from "../log/bucket_log.ts";
import type { ObjectName } from "../log/names.ts";
import type { DeliveredCommits } from "./delivered_commits.ts";
import type { TaskRunner } from "../base/semaphore.ts";

/** Dependencies of fetching. */
export interface FetchContext {
  /** The log in the bucket. */
  readonly log: BucketLog;
  /** Limits the number of parallel requests. */
  readonly requests: TaskRunner;
  /** Maximum number of objects of a stream that are fetched but not yet applied; at least 1. */
  readonly ahead: () => number;
  /** Commits that peers sent: they need not be fetched. */
  readonly delivered: DeliveredCommits;
  /** Stops fetching. */
  readonly signal: AbortSignal;
}

/** An object that is being fetched. */
export interface Fetching {
  /** Name of the object. */
  readonly name: ObjectName;
  /** The object, still packed; undefined when it does not exist. */
  readonly fetched: Promise<PackedObject | undefined>;
}

/** Yields the objects of a chain in order. Waits at the end until no request is left. */
export async function* fetchAhead(
  context: FetchContext,
  chain: readonly ObjectName[],
): AsyncGenerator<Fetching> {
  const ahead: Fetching[] = [];
  let started = 0;
  try {
    for (const _ of chain) {
      while (started < chain.length && ahead.length < context.ahead()) {
        const name = chain[started++];
        ahead.push({ name, fetched: startFetching(context, name) });
      }
      yield ahead[0];
      ahead.shift(); // What was read is let go: a chain may be longer than the memory.
    }
  } finally {
    await Promise.allSettled(ahead.map(({ fetched }) => fetched));
  }
}

/** Fetches an object. The result may be ignored: a failure is then not an unhandled rejection. */
export function startFetching(
  { log, requests, delivered, signal }: FetchContext,
  name: ObjectName,
): Promise<PackedObject | undefined> {
  const decoded = delivered.take(name);
  if (decoded) return Promise.resolve({ decode: () => decoded });
  const fetched = requests.run(() => log.read(name, { signal }));
  fetched.catch(() => {}); // The caller handles it later, if it needs the object.
  return fetched;
}
