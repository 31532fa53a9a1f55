/**
 * Finds the requested command and runs it. Modules are loaded only when needed, so that help is
 * fast.
 *
 * @module
 */
import type { Command, CommandModule } from "./command.ts";

/**
 * Imports the module of a command, which is given relative to `cli.ts`. Not by a literal name: what that
 * names would be loaded at every start, with all its dependencies.
 */
export type LoadCommand = (module: string) => Promise<CommandModule>;

/** Runs the command line and resolves to its exit code; errors go to standard error. */
export async function main(args: readonly string[], load: LoadCommand): Promise<number> {
  try {
    return await dispatch(args, load);
  } catch (error) {
    const { exitCodeOf, reportError } = await import("./exit.ts");
    const verbose = args.includes("-v") || args.includes("--verbose");
    reportError(error, { json: args.includes("--json"), verbose });
    return exitCodeOf(error);
  }
}

async function dispatch(args: readonly string[], load: LoadCommand): Promise<number> {
  const [name, ...rest] = args;
  if (name === undefined || name === "-h" || name === "--help") await printHelp(undefined);
  else if (name === "help") await printHelp(rest[0]);
  else if (name === "-V" || name === "--version") await printVersion();
  else if (asksForHelp(rest)) await printHelp(name);
  else return await runCommand(await commandCalled(name), rest, load);
  return 0;
}

function asksForHelp(args: readonly string[]): boolean {
  const end = args.indexOf("--");
  const flags = end < 0 ? args : args.slice(0, end);
  return flags.includes("-h") || flags.includes("--help");
}

async function printHelp(name: string | undefined): Promise<void> {
  const { helpFor, mainHelp } = await import("./help.ts");
  console.log(name === undefined ? mainHelp() : helpFor(await commandCalled(name)));
}

async function printVersion(): Promise<void> {
  const { nameWithVersion } = await import("../base/version.ts");
  console.log(await nameWithVersion());
}

async function runCommand(
  command: Command,
  args: readonly string[],
  load: LoadCommand,
): Promise<number> {
  const { moduleOf } = await import("./commands.ts");
  const { parseArguments } = await import("./args.ts");
  const { handleSignals } = await import("./signals.ts");
  const { run } = await load(moduleOf(command));
  const parsed = parseArguments(args, command);
  const controller = new AbortController();
  const { signal } = controller;
  const stop = (reason: unknown) => controller.abort(reason);
  using signals = handleSignals(stop);
  try {
    const code = await run({ args: parsed, signal, stop, onHangup: signals.onHangup });
    if (code !== undefined) return code;
  } catch (error) {
    if (!signal.aborted || !isAbort(error, signal)) throw error;
  }
  signal.throwIfAborted();
  return 0;
}

/** Whether an operation failed only because it was aborted. */
function isAbort(error: unknown, { reason }: AbortSignal): boolean {
  return error === reason || error instanceof DOMException && error.name === "AbortError";
}

async function commandCalled(name: string): Promise<Command> {
  const { COMMANDS } = await import("./commands.ts");
  const command = COMMANDS.find((command) => command.name === name);
  if (command) return command;
  const { suggest } = await import("../base/nearest.ts");
  const { UsageError } = await import("./exit.ts");
  if (name.startsWith("-")) {
    throw new UsageError("The command comes first: feedsync <command> [flags], see feedsync help");
  }
  const names = COMMANDS.map(({ name }) => name);
  throw new UsageError(`Unknown command "${name}", ${suggest(name, names)}`);
}
