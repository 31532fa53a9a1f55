/**
 * Handles the signals that ask the process to end. On SIGTERM, `watch` stops in this order:
 *
 * 1. `cli/signals.ts` aborts the command's signal; a second signal ends the process at once.
 * 2. `reading/bucket_watcher.ts` finishes plugin calls, stores the cursors and closes the plugins.
 * 3. `watch_files.ts` closes the watcher of feed files.
 * 4. `connection.ts` uploads the queue, sends the last messages to peers, closes store and state.
 * 5. `cli/watch/run.ts` logs the requests. The exit code is 0, or if updates are still queued the one
 *    that `cli/exit.ts` gives, 143 (SIGINT: 130).
 *
 * @module
 */
import { exitCodeOf, Interrupted } from "./exit.ts";

/** The handled signals; Windows has no SIGTERM. */
const SIGNALS: readonly Deno.Signal[] = Deno.build.os === "windows"
  ? ["SIGINT"]
  : ["SIGINT", "SIGTERM"];

/** Calls `stop` on the first SIGINT or SIGTERM, and ends the process on the second. */
export function handleSignals(stop: (reason: Interrupted) => void): Disposable {
  let interrupted = false;
  const listeners = SIGNALS.map((signal) => {
    const listener = () => {
      const reason = new Interrupted(signal);
      if (interrupted) Deno.exit(exitCodeOf(reason));
      interrupted = true;
      stop(reason);
    };
    Deno.addSignalListener(signal, listener);
    return { signal, listener };
  });
  return {
    [Symbol.dispose]() {
      for (const { signal, listener } of listeners) Deno.removeSignalListener(signal, listener);
    },
  };
}
