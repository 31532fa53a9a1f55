/**
 * Fetching the objects of a stream ahead of their turn.
 *
 * @module
 */
import type { DecodedObject } from "../log/codec.ts";
import type { Envelope } from "../log/encryption/envelope.ts";
import { fetchObject } from "../log/fetch_object.ts";
import type { ObjectName } from "../log/names.ts";
import type { ObjectStore } from "../stores/store.ts";
import type { DeliveredCommits } from "./delivered_commits.ts";
import type { TaskRunner } from "../base/semaphore.ts";

/** What fetching stands on. */
export interface FetchContext {
  /** The bucket. */
  readonly store: ObjectStore;
  /** What objects are stored in. */
  readonly envelope: Envelope;
  /** Bounds the requests under way. */
  readonly requests: TaskRunner;
  /** How many objects of a stream are there, or fetched, at once: at least 1, the one whose turn it is. */
  readonly ahead: () => number;
  /** What came by other ways than from the bucket, and need not be fetched. */
  readonly delivered: DeliveredCommits;
  /** Ends fetching. */
  readonly signal: AbortSignal;
}

/**
 * What came of an object: what is in it, or its bytes, which take less memory until it is its turn;
 * undefined when it is gone.
 */
export type Fetched =
  | { readonly decoded: DecodedObject; readonly body?: undefined }
  | { readonly decoded?: undefined; readonly body: Uint8Array }
  | undefined;

/** An object that is being fetched. */
export interface Fetching {
  /** Its name. */
  readonly name: ObjectName;
  /** What comes of it. */
  readonly fetched: Promise<Fetched>;
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
export function startFetching(context: FetchContext, name: ObjectName): Promise<Fetched> {
  const { requests, delivered, signal } = context;
  const decoded = delivered.take(name);
  if (decoded) return Promise.resolve({ decoded });
  const fetched = requests.run(() => fetchObject(context, name, { signal }))
    .then((body) => body && { body });
  fetched.catch(() => {}); // It counts when it is its turn.
  return fetched;
}
