/**
 * The arguments with which feedsync starts itself as another process.
 *
 * @module
 */

/** Permissions that the commands need, except for plugins that run other programs. */
const PERMISSIONS = [
  ...["--no-prompt", "--allow-read", "--allow-write", "--allow-net", "--allow-env"],
  "--allow-sys=hostname,osRelease",
];

/**
 * The arguments that make `Deno.execPath()` run feedsync with `args`. In a compiled feedsync that
 * is feedsync itself; else it is Deno, which gets the URL of the command line, and `--quiet` so
 * that it does not print its downloads.
 */
export function selfArguments(
  args: readonly string[],
  { standalone = Deno.build.standalone, commandLine = Deno.mainModule }: {
    /** Whether feedsync is compiled. @default as it is */
    readonly standalone?: boolean;
    /** URL of the command line. @default what this process runs: `cli.ts`, or a bundle of it */
    readonly commandLine?: string;
  } = {},
): string[] {
  if (standalone) return [...args];
  return ["run", "--quiet", ...PERMISSIONS, commandLine, ...args];
}
