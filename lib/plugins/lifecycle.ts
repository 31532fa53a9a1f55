/**
 * Setting plugins up, and closing them.
 *
 * @module
 */
import { getLogger } from "@logtape/logtape";
import type { Clock } from "../base/environment.ts";
import { tellFailure } from "../reading/failure.ts";
import type { RunningPlugin } from "../plugin.ts";

const logger = getLogger(["feedsync", "plugin"]);

/** How long it may take. */
export interface SetUpOptions {
  /** Timers. */
  readonly clock: Clock;
  /** Aborted when the plugins are no longer needed. */
  readonly signal: AbortSignal;
  /** Most milliseconds from then on. */
  readonly timeout: number;
}

/**
 * Resolves to the plugins when all are set up. A setup that hangs holds up nobody who stops: it rejects
 * with the signal's reason then, and what is set up later is closed at once.
 */
export async function setUpPlugins(
  setUp: () => Promise<readonly RunningPlugin[]>,
  { clock, signal, timeout }: SetUpOptions,
): Promise<readonly RunningPlugin[]> {
  const { promise: abandoned, reject } = Promise.withResolvers<never>();
  let cancel = () => {}, isAbandoned = false;
  const onAbort = () => {
    cancel = clock.setTimer(timeout, () => {
      isAbandoned = true;
      reject(signal.reason);
    });
  };
  if (signal.aborted) onAbort();
  else signal.addEventListener("abort", onAbort, { once: true });
  const plugins = setUp();
  plugins.then(
    (late) => isAbandoned ? closePlugins(late, { clock, timeout }) : undefined,
    () => {}, // Told by what is returned, unless nobody waits for it any more.
  );
  try {
    return await Promise.race([plugins, abandoned]);
  } finally {
    cancel();
    signal.removeEventListener("abort", onAbort);
  }
}

/** Closes plugins side by side, waiting at most `timeout` milliseconds; a failure is logged. */
export async function closePlugins(
  plugins: readonly RunningPlugin[],
  options: { readonly clock: Clock; readonly timeout: number },
): Promise<void> {
  await Promise.all(plugins.map((plugin) => closePlugin(plugin, options)));
}

async function closePlugin(
  plugin: RunningPlugin,
  { clock, timeout }: { readonly clock: Clock; readonly timeout: number },
): Promise<void> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const cancel = clock.setTimer(
    timeout,
    () => reject(new Error(`It takes longer than ${timeout / 1000} s`)),
  );
  try {
    await Promise.race([plugin.close(), late]);
  } catch (error) {
    logger.error("{plugin} failed to close: {message}", {
      plugin: plugin.name,
      message: tellFailure(error),
    });
  } finally {
    cancel();
  }
}
