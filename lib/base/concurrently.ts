/**
 * Doing something with each of many things, a few at once.
 *
 * @module
 */

/**
 * Calls `work` with each item, at most `limit` at once; items are taken as they are needed. After the first
 * failure no more are taken. What runs by then is waited for, then it rejects with that failure.
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
