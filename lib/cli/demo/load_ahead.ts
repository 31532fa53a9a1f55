/**
 * Loading what the demo's servers need, before they start.
 *
 * @module
 */
import { selfArguments } from "./self_command.ts";

/** After this time people are told what takes so long. */
const PATIENCE_MS = 1000;

/**
 * Runs a server that ends at once. The first one on a machine downloads packages: three that start
 * together would each do that, and the demo would wait for them in vain. Should it fail, the servers tell why.
 */
export async function loadAhead(
  { directory, env, signal, notice }: {
    /** Where it runs; it has the state and the store of none of the servers. */
    readonly directory: string;
    /** All of its environment variables. */
    readonly env: Record<string, string>;
    /** Ends it early. */
    readonly signal: AbortSignal;
    /** Told when it takes long. */
    readonly notice: (text: string) => void;
  },
): Promise<void> {
  if (Deno.build.standalone) return; // Everything is in the executable.
  const own = ["--server", "first", "--store", "file:first", "--state", "first.db"];
  const timer = setTimeout(
    () => notice("Loading the packages that the servers need, which is done once …"),
    PATIENCE_MS,
  );
  try {
    await new Deno.Command(Deno.execPath(), {
      args: selfArguments(["watch", "--once", "--json", ...own]),
      cwd: directory,
      clearEnv: true,
      env,
      signal,
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).output();
  } finally {
    clearTimeout(timer);
  }
  signal.throwIfAborted();
}
