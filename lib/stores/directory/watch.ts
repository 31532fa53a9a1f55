/**
 * Hears of new files below a directory while it can.
 *
 * @module
 */
import { ensureDir } from "@std/fs/ensure-dir";
import { type Clock, sleep } from "../../base/environment.ts";

/** How long after its end a watch is begun anew: milliseconds. */
const REARM_INTERVAL = 5_000;

/**
 * Calls `changed` after something may have been written below `directory`, which is made when it is
 * missing. `Deno.watchFs` ends at names that are not UTF-8 and goes silent when the directory is
 * replaced; then the watch is begun anew. As something may have happened before a watch begins,
 * `changed` is called at its beginning, too.
 */
export function watchDirectory(
  directory: string,
  changed: () => void,
  clock: Clock,
): AsyncDisposable {
  const end = new AbortController();
  const watching = keepWatching(directory, changed, clock, end.signal);
  return {
    async [Symbol.asyncDispose]() {
      end.abort();
      await watching;
    },
  };
}

async function keepWatching(
  directory: string,
  changed: () => void,
  clock: Clock,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    // Whatever ended the watch: it is a hint, and polling finds everything without it.
    await watchOnce(directory, changed, signal).catch(() => {});
    await sleep(clock, REARM_INTERVAL, signal).catch(() => {});
  }
}

async function watchOnce(
  directory: string,
  changed: () => void,
  signal: AbortSignal,
): Promise<void> {
  await ensureDir(directory);
  const path = await Deno.realPath(directory);
  if (signal.aborted) return;
  using watcher = Deno.watchFs(path);
  const close = () => watcher.close();
  signal.addEventListener("abort", close, { once: true });
  changed();
  try {
    for await (const { kind, paths } of watcher) {
      if (kind === "remove" && paths.includes(path)) break;
      if (kind !== "remove" && kind !== "access") changed();
    }
  } finally {
    signal.removeEventListener("abort", close);
  }
}
