/**
 * How feedsync starts itself a second time.
 *
 * @module
 */

/**
 * The arguments that make `Deno.execPath()` run feedsync with `args`. A compiled feedsync is that
 * executable itself; else it is Deno, which is told where the command line is.
 */
export function selfArguments(
  args: readonly string[],
  { standalone = Deno.build.standalone }: {
    /** Whether feedsync is compiled. @default as it is */
    readonly standalone?: boolean;
  } = {},
): string[] {
  if (standalone) return [...args];
  return ["run", "-A", new URL("../../cli.ts", import.meta.url).href, ...args];
}
