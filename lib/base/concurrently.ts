/**
 * Runs a function for many items, a limited number at a time.
 *
 * @module
 */

/** Options of {@linkcode forEachConcurrently}. */
export interface ConcurrentOptions {
  /** Maximum number of calls at a time. */
  readonly limit: number;
  /** Aborts the signal that the calls receive. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Calls `work` for each item, at most `limit` calls at a time, and iterates no faster than needed.
 * After the first failure, starts no more calls, aborts the signal of the running ones, waits for
 * them, and rejects with that failure.
 */
export async function forEachConcurrently<T>(
  items: Iterable<T> | AsyncIterable<T>,
  { limit, signal }: ConcurrentOptions,
  work: (item: T, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const running = new Set<Promise<void>>();
  const failures: unknown[] = [];
  const failed = new AbortController();
  const either = signal ? AbortSignal.any([signal, failed.signal]) : failed.signal;
  const fail = (error: unknown) => {
    failures.push(error);
    failed.abort(error);
  };
  const start = (item: T) => {
    const task = work(item, either).catch(fail).finally(() => running.delete(task));
    running.add(task);
  };
  try {
    for await (const item of items) {
      start(item);
      if (running.size >= limit) await Promise.race(running);
      if (failures.length > 0) break;
    }
  } finally {
    await Promise.all(running);
  }
  if (failures.length > 0) throw failures[0];
}
