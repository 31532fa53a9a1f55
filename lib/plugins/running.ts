/**
 * Starting and stopping plugins in a limited time.
 *
 * @module
 */
import { getLogger } from "@logtape/logtape";
import { Deadline, withDeadline } from "../base/deadline.ts";
import type { Clock } from "../base/environment.ts";
import type { RunningPlugin } from "../plugin.ts";
import { tellFailure } from "../reading/failure.ts";

const logger = getLogger(["feedsync", "plugin"]);

/** How long plugins may take. */
export interface PluginTimeLimit {
  /** Measures the time. */
  readonly clock: Clock;
  /** How long a plugin may take, in milliseconds. */
  readonly timeoutMs: number;
}

/**
 * Resolves to the plugins when all are set up. When `signal` is aborted, a setup that hangs has
 * `timeoutMs` left: then this rejects with the signal's reason, and what is set up later is closed at
 * once.
 */
export async function setUpPlugins(
  setUp: () => Promise<readonly RunningPlugin[]>,
  { signal, clock, timeoutMs }: PluginTimeLimit & { readonly signal: AbortSignal },
): Promise<readonly RunningPlugin[]> {
  using deadline = new Deadline(clock, signal, { graceMs: timeoutMs });
  const plugins = setUp();
  try {
    return await deadline.race(plugins);
  } catch (error) {
    if (deadline.signal.aborted) {
      plugins.then((late) => closePlugins(late, { clock, timeoutMs }), () => {});
    }
    throw error;
  }
}

/** Closes plugins in parallel; logs those that fail, or take longer than `timeoutMs`. */
export async function closePlugins(
  plugins: readonly RunningPlugin[],
  { clock, timeoutMs }: PluginTimeLimit,
): Promise<void> {
  const timeoutReason = () => new Error(`It takes longer than ${timeoutMs / 1000} s`);
  await Promise.all(plugins.map(async (plugin) => {
    try {
      await withDeadline(() => plugin.close(), { clock, timeoutMs, timeoutReason });
    } catch (error) {
      logger.error("{plugin} failed to close: {message}", {
        plugin: plugin.name,
        message: tellFailure(error),
      });
    }
  }));
}
