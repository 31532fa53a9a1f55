/**
 * Asking once for many.
 *
 * @module
 */
import type { Clock } from "../base/environment.ts";

/** A function that calls `ask` only if its last success is older than `ms`, and not while it runs. */
export function remembered<T>(
  ask: () => Promise<T>,
  { clock, ms }: { readonly clock: Clock; readonly ms: number },
): () => Promise<T> {
  let last: Promise<T> | undefined, endedAt = Infinity;
  return () => {
    if (last && clock.elapsed() - endedAt < ms) return last;
    endedAt = Infinity;
    const asked = last = ask();
    asked.then(() => endedAt = clock.elapsed(), () => {
      if (last === asked) last = undefined;
    });
    return asked;
  };
}
