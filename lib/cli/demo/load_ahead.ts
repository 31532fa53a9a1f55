/**
 * Loads the packages of the demo's servers before they start.
 *
 * @module
 */
import { selfArguments } from "./self_command.ts";

/** Delay before a notice explains what takes so long. */
const PATIENCE_MS = 1000;

/**
 * Runs a server that ends at once. The first server on a machine downloads packages: three that
 * start together would each do that, and the demo would time out. If this fails, the servers report
 * why.
 */
export async function loadAhead(
  { directory, env, signal, notice }: {
    /** Working directory; its state and store are not those of the servers. */
    readonly directory: string;
    /** All its environment variables. */
    readonly env: Record<string, string>;
    /** Ends it early. */
    readonly signal: AbortSignal;
    /** Called when it takes long. */
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
