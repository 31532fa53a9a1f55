/**
 * Writes results to standard output, one per line.
 *
 * @module
 */
import type { RunningPlugin } from "../plugin.ts";
import { isStdoutBroken, print } from "../base/stdout.ts";
import { updateToJson } from "../update.ts";

export { print };

/** Writes a value as a line of JSON. */
export function printJson(value: unknown): Promise<void> {
  return print(JSON.stringify(value));
}

/** A plugin that prints updates as NDJSON. */
export const printer: RunningPlugin = {
  name: "json",
  onUpdate: (update) => printJson(updateToJson(update)),
  onGap: () => {},
  close: () => Promise.resolve(),
};

/**
 * Wraps a plugin so that `stop` is called if it fails because standard output is closed: no later
 * attempt could succeed.
 */
export function stopWithOutput(
  plugin: RunningPlugin,
  stop: (reason: unknown) => void,
): RunningPlugin {
  const guard = async (call: () => void | Promise<void>) => {
    try {
      await call();
    } catch (error) {
      if (isStdoutBroken()) stop(error);
      throw error;
    }
  };
  return {
    ...plugin,
    onUpdate: (update, signal) => guard(() => plugin.onUpdate(update, signal)),
    onGap: (gap, signal) => guard(() => plugin.onGap(gap, signal)),
  };
}
