/**
 * How feedsync starts itself a second time.
 *
 * @module
 */

/** What the commands need, plugins that start others aside. */
const PERMISSIONS = [
  ...["--no-prompt", "--allow-read", "--allow-write", "--allow-net", "--allow-env"],
  "--allow-sys=hostname,osRelease",
];

/**
 * The arguments that make `Deno.execPath()` run feedsync with `args`. A compiled feedsync is that
 * executable itself; else it is Deno, which is told where the command line is, and to print nothing of
 * its own, such as what it downloads.
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
