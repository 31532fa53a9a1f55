/**
 * Watches a directory for new files, as far as the system reports them.
 *
 * @module
 */
import { ensureDir } from "@std/fs/ensure-dir";
import { type Clock, sleep } from "../../base/environment.ts";

/** Delay before a watch that ended is started again. */
const REARM_DELAY_MS = 5_000;

/**
 * Calls `changed` after a file may have been written below `directory`, which is created if it is
 * missing. `Deno.watchFs` ends at names that are not UTF-8 and goes silent when the directory is
 * replaced; then the watch is started again. `changed` is also called at each start, for files
 * written before.
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
    // The reason does not matter: watching is only a hint, and polling finds everything.
    await watchOnce(directory, changed, signal).catch(() => {});
    await sleep(clock, REARM_DELAY_MS, signal).catch(() => {});
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
