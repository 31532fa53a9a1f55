/**
 * Standard output: results, a line each.
 *
 * @module
 */
import type { RunningPlugin } from "../plugin.ts";
import { print } from "../base/stdout.ts";
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
 * The plugin, with `stop` called when it fails since nobody reads standard output any more: no
 * later attempt could succeed.
 */
export function stopWithOutput(
  plugin: RunningPlugin,
  stop: (reason: unknown) => void,
): RunningPlugin {
  const guard = async (call: () => void | Promise<void>) => {
    try {
      await call();
    } catch (error) {
      if (isBroken()) stop(error);
      throw error;
    }
  };
  return {
    ...plugin,
    onUpdate: (update, signal) => guard(() => plugin.onUpdate(update, signal)),
    onGap: (gap, signal) => guard(() => plugin.onGap(gap, signal)),
  };
}

/** A stream that failed once has no desired size. */
function isBroken(): boolean {
  const writer = Deno.stdout.writable.getWriter();
  const broken = writer.desiredSize === null;
  writer.releaseLock();
  return broken;
}
