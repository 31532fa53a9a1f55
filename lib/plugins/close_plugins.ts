/**
 * Closing plugins.
 *
 * @module
 */
import { getLogger } from "@logtape/logtape";
import type { Clock } from "../base/environment.ts";
import { tellFailure } from "../reading/failure.ts";
import type { RunningPlugin } from "../plugin.ts";

const logger = getLogger(["feedsync", "plugin"]);

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
