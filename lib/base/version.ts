/**
 * The version of this program.
 *
 * @module
 */

/** Reads the version of feedsync, loaded only when it is needed. */
export async function readVersion(): Promise<string> {
  const { default: { version } } = await import("../../deno.json", { with: { type: "json" } });
  return version;
}

/** The name of the program with its version, as it introduces itself. */
export async function nameWithVersion(): Promise<string> {
  return `feedsync ${await readVersion()}`;
}
