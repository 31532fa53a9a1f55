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
 * is feedsync itself; else it is Deno, which gets the path of the command line, and `--quiet` so
 * that it does not print its downloads.
 */
export function selfArguments(
  args: readonly string[],
  { standalone = Deno.build.standalone }: {
    /** Whether feedsync is compiled. @default as it is */
    readonly standalone?: boolean;
  } = {},
): string[] {
  if (standalone) return [...args];
  return [
    "run",
    "--quiet",
    ...PERMISSIONS,
    new URL("../../../cli.ts", import.meta.url).href,
    ...args,
  ];
}
