/**
 * Keeps the memory of a long-running process small and constant.
 *
 * @module
 */
import v8 from "node:v8";
import vm from "node:vm";
import type { RequestCounts } from "../../stores/store.ts";

/** Garbage is collected after so much time, and after so many requests; that takes about 10 ms. */
const INTERVAL_MS = 60_000, REQUESTS = 100;

/** Delay between looks at requests and memory, and the growth that triggers a garbage collection. */
const CHECK_INTERVAL_MS = 200, MAX_GROWTH = 1.15;

/** Factor by which the baseline may grow when a collection does not free the memory. */
const MAX_BASELINE_GROWTH = 1.02;

/**
 * Collects garbage every minute, and earlier after many requests or when memory grows, until it is
 * disposed of. Memory of `fetch` outside of V8's heap is freed only by a full collection, and V8 delays
 * that, since it does not see this memory: after 10,000 polls the process would hold 200 MB, and a
 * server that restores 10,000 feeds would use twice the memory it needs.
 */
export function collectRegularly(requests: Readonly<RequestCounts>): Disposable {
  const collect = garbageCollector();
  let collectedAt = performance.now(), countThen = total(requests);
  let { rss: baseline } = Deno.memoryUsage();
  const timer = setInterval(() => {
    const isDue = performance.now() - collectedAt >= INTERVAL_MS ||
      total(requests) - countThen >= REQUESTS;
    if (!isDue && Deno.memoryUsage().rss < MAX_GROWTH * baseline) return;
    collect();
    collectedAt = performance.now();
    countThen = total(requests);
    baseline = Math.min(Deno.memoryUsage().rss, MAX_BASELINE_GROWTH * baseline);
  }, CHECK_INTERVAL_MS);
  return { [Symbol.dispose]: () => clearInterval(timer) };
}

function total({ put, get, list, delete: deleted }: RequestCounts): number {
  return put + get + list + deleted;
}

function garbageCollector(): () => void {
  v8.setFlagsFromString("--expose-gc");
  return vm.runInNewContext("gc");
}
