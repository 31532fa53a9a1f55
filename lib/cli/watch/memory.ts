/**
 * Keeps the memory of a long-running process small and constant.
 *
 * @module
 */
import v8 from "node:v8";
import vm from "node:vm";

/** Delay between garbage collections; each takes about 10 ms. */
const INTERVAL_MS = 60_000;

/** It is looked so often how much memory is used, and collected when that is so many times what it was. */
const LOOK_INTERVAL_MS = 200, MAX_GROWTH = 1.15;

/** What it was counts for so much more after each time that collecting did not bring it back. */
const GETTING_USED_TO = 1.02;

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
 * Collects garbage every minute, until it is disposed of, and sooner where memory grows: a server that restores
 * 10,000 feeds would hold twice what it needs.
 */
export function collectRegularly(): Disposable {
  const collect = garbageCollector();
  let collectedAt = performance.now(), { rss: usual } = Deno.memoryUsage();
  const timer = setInterval(() => {
    const isDue = performance.now() - collectedAt >= INTERVAL_MS;
    if (!isDue && Deno.memoryUsage().rss < MAX_GROWTH * usual) return;
    collect();
    collectedAt = performance.now();
    usual = Math.min(Deno.memoryUsage().rss, GETTING_USED_TO * usual);
  }, LOOK_INTERVAL_MS);
  return { [Symbol.dispose]: () => clearInterval(timer) };
}
