/** Runs the command line as users do: as a process of its own. */
import { join } from "node:path";

const ROOT = join(import.meta.dirname!, "..", "..");

/** What a run of the command line came to. */
export interface Outcome {
  code: number;
  stdout: string;
  stderr: string;
  /** The lines of standard output, read as JSON. */
  json(): Record<string, unknown>[];
}

/** How to run it. */
export interface RunOptions {
  cwd: string;
  env?: Record<string, string>;
  /** Standard input; a closed one unless given. */
  stdin?: string | Uint8Array;
  /** Path of a module that is run first. */
  preload?: string;
  /** Where the program is. @default this checkout */
  root?: string;
  /** Path of the command line. @default that of the program */
  commandLine?: string | undefined;
  /** An executable to run instead. */
  program?: string | undefined;
}

/** Starts `feedsync` with these arguments. */
export function start(
  args: string[],
  { cwd, env, preload, root = ROOT, commandLine = join(root, "cli.ts"), program }: RunOptions,
): Deno.ChildProcess {
  const flags = ["-A", "--config", join(root, "deno.json")];
  if (preload !== undefined) flags.push("--preload", preload);
  return new Deno.Command(program ?? Deno.execPath(), {
    args: program ? args : ["run", ...flags, commandLine, ...args],
    cwd,
    env: { NO_COLOR: "1", DENO_NO_UPDATE_CHECK: "1", ...env },
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}

/** Runs `feedsync` with these arguments to its end. */
export async function feedsync(args: string[], options: RunOptions): Promise<Outcome> {
  const process = start(args, options);
  const input = typeof options.stdin === "string"
    ? new TextEncoder().encode(options.stdin)
    : options.stdin ?? new Uint8Array();
  // A process that does not read its input breaks the pipe.
  const writing = new Blob([input as BlobPart]).stream().pipeTo(process.stdin).catch(() => {});
  const [{ code, stdout, stderr }] = await Promise.all([process.output(), writing]);
  const text = new TextDecoder().decode(stdout);
  return {
    code,
    stdout: text,
    stderr: new TextDecoder().decode(stderr),
    json: () => text.split("\n").filter(Boolean).map((line) => JSON.parse(line)),
  };
}

/** A working directory with these files, removed at the end. */
export async function workspace(
  files: Record<string, string | Uint8Array> = {},
): Promise<AsyncDisposable & { path: string }> {
  const path = await Deno.makeTempDir();
  for (const [name, content] of Object.entries(files)) {
    const write = typeof content === "string" ? Deno.writeTextFile : Deno.writeFile;
    await write(join(path, name), content as string & Uint8Array);
  }
  return { path, [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }) };
}
