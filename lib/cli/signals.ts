/**
 * Signals that ask the process to end.
 *
 * @module
 */
import { exitCodeOf, Interrupted } from "./exit.ts";

/** Windows has no SIGTERM. */
const SIGNALS: readonly Deno.Signal[] = Deno.build.os === "windows"
  ? ["SIGINT"]
  : ["SIGINT", "SIGTERM"];

/** Calls `stop` at the first SIGINT or SIGTERM, ends the process at the second. */
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
