/**
 * Keeps the memory of a long-running process small and constant.
 *
 * @module
 */
import v8 from "node:v8";
import vm from "node:vm";

/** Delay between garbage collections; each takes about 10 ms. */
const INTERVAL_MS = 60_000;

/** Delay between checks of the memory use, and the growth that triggers a garbage collection. */
const CHECK_INTERVAL_MS = 200, MAX_GROWTH = 1.15;

/** Factor by which the baseline may grow when a collection does not free the memory. */
const MAX_BASELINE_GROWTH = 1.02;

/**
 * Returns a function that collects all garbage. Memory of `fetch` outside of V8's heap is freed
 * only by a full collection, and V8 delays that, since it does not see this memory: after 10,000
 * polls the process would hold 220 MB instead of 140.
 */
export function garbageCollector(): () => void {
  v8.setFlagsFromString("--expose-gc");
  return vm.runInNewContext("gc");
}

/**
 * Collects garbage every minute, and earlier when memory grows, until it is disposed of. Otherwise
 * a server that restores 10,000 feeds would use twice the memory it needs.
 */
export function collectRegularly(): Disposable {
  const collect = garbageCollector();
  let collectedAt = performance.now(), { rss: baseline } = Deno.memoryUsage();
  const timer = setInterval(() => {
    const isDue = performance.now() - collectedAt >= INTERVAL_MS;
    if (!isDue && Deno.memoryUsage().rss < MAX_GROWTH * baseline) return;
    collect();
    collectedAt = performance.now();
    baseline = Math.min(Deno.memoryUsage().rss, MAX_BASELINE_GROWTH * baseline);
  }, CHECK_INTERVAL_MS);
  return { [Symbol.dispose]: () => clearInterval(timer) };
}
