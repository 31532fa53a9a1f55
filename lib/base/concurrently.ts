/**
 * Runs a function for many items, a limited number at a time.
 *
 * @module
 */

/**
 * Calls `work` for each item, at most `limit` calls at a time, and iterates no faster than needed.
 * After the first failure, starts no more calls, waits for the running ones, and rejects with that
 * failure.
 */
export async function forEachConcurrently<T>(
  items: Iterable<T> | AsyncIterable<T>,
  { limit }: { readonly limit: number },
  work: (item: T) => Promise<void>,
): Promise<void> {
  const running = new Set<Promise<void>>();
  const failures: unknown[] = [];
  const start = (item: T) => {
    const task = work(item).catch((error) => void failures.push(error))
      .finally(() => running.delete(task));
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
