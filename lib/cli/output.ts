/**
 * Standard output: results, a line each.
 *
 * @module
 */
import type { RunningPlugin } from "../plugin.ts";
import { updateToJson } from "../update.ts";

/** Writes a line, whole, before the promise resolves. */
export async function print(line: string): Promise<void> {
  const writer = Deno.stdout.writable.getWriter();
  const written = writer.write(new TextEncoder().encode(`${escapeControls(line)}\n`));
  writer.releaseLock();
  await written;
}

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

/**
 * Other servers choose much of what is printed: characters that a terminal could take for commands
 * become `\uXXXX`, which JSON reads back as what they were.
 */
function escapeControls(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (character) =>
    Array.from(
      { length: character.length },
      (_, index) => `\\u${character.charCodeAt(index).toString(16).padStart(4, "0")}`,
    ).join(""));
}
