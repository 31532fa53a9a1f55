/**
 * Fetching the objects of a stream ahead of their turn.
 *
 * @module
 */
import type { BucketLog, PackedObject } from "../log/bucket_log.ts";
import type { ObjectName } from "../log/names.ts";
import type { DeliveredCommits } from "./delivered_commits.ts";
import type { TaskRunner } from "../base/semaphore.ts";

/** What fetching stands on. */
export interface FetchContext {
  /** What is in the bucket. */
  readonly log: BucketLog;
  /** Bounds the requests under way. */
  readonly requests: TaskRunner;
  /** How many objects of a stream are there, or fetched, at once: at least 1, the one whose turn it is. */
  readonly ahead: () => number;
  /** What came by other ways than from the bucket, and need not be fetched. */
  readonly delivered: DeliveredCommits;
  /** Ends fetching. */
  readonly signal: AbortSignal;
}

/** An object that is being fetched. */
export interface Fetching {
  /** Its name. */
  readonly name: ObjectName;
  /** What comes of it: it is unpacked when it is its turn; undefined when it is gone. */
  readonly fetched: Promise<PackedObject | undefined>;
}

/** Yields the objects of a chain in their order. In the end none is being fetched any more. */
export async function* fetchAhead(
  context: FetchContext,
  chain: readonly ObjectName[],
): AsyncGenerator<Fetching> {
  const ahead: Fetching[] = [];
  try {
    for (const index of chain.keys()) {
      while (ahead.length < Math.min(chain.length, index + context.ahead())) {
        const name = chain[ahead.length];
        ahead.push({ name, fetched: startFetching(context, name) });
      }
      yield ahead[index];
    }
  } finally {
    await Promise.allSettled(ahead.map(({ fetched }) => fetched));
  }
}

/** Fetches an object. It does no harm when nobody waits for what comes of it. */
export function startFetching(
  { log, requests, delivered, signal }: FetchContext,
  name: ObjectName,
): Promise<PackedObject | undefined> {
  const decoded = delivered.take(name);
  if (decoded) return Promise.resolve({ decode: () => decoded });
  const fetched = requests.run(() => log.read(name, { signal }));
  fetched.catch(() => {}); // It counts when it is its turn.
  return fetched;
}
