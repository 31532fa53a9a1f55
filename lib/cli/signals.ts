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

/** The handled signals; Windows has the first one only. */
const SIGNALS: readonly Deno.Signal[] = Deno.build.os === "windows"
  ? ["SIGINT"]
  : ["SIGINT", "SIGTERM", "SIGHUP"];

/** The signals that a process handles. */
export interface Signals extends Disposable {
  /** Has SIGHUP call `reload` where no terminal can hang up. @default it stops the command */
  onHangup(reload: () => void): void;
}

/** Calls `stop` on the first signal, and ends the process on the second. */
export function handleSignals(stop: (reason: Interrupted) => void): Signals {
  let interrupted = false, reload: (() => void) | undefined;
  const listeners = SIGNALS.map((signal) => {
    const listener = () => {
      if (signal === "SIGHUP" && reload && !hasTerminal()) return reload();
      const reason = new Interrupted(signal);
      if (interrupted) Deno.exit(exitCodeOf(reason));
      interrupted = true;
      stop(reason);
    };
    Deno.addSignalListener(signal, listener);
    return { signal, listener };
  });
  return {
    onHangup: (given) => void (reload = given),
    [Symbol.dispose]() {
      for (const { signal, listener } of listeners) Deno.removeSignalListener(signal, listener);
    },
  };
}

function hasTerminal(): boolean {
  return [Deno.stdin, Deno.stdout, Deno.stderr].some((stream) => stream.isTerminal());
}
