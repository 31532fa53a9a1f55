/**
 * Servers that are programs of this machine, for tests.
 *
 * @module
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { PassThrough } from "node:stream";

/** Runs a program until standard input ends, as it does at the latest with this process. */
const RUN = `
  exec 3<&0
  "$@" &
  program=$!
  (cat <&3; kill "$program") >/dev/null 2>&1 &
  wait "$program"
`;

/** The version that `command --version` tells; undefined where it is not installed. */
export async function versionOf(command: string): Promise<string | undefined> {
  try {
    const { stdout } = await new Deno.Command(command, { args: ["--version"] }).output();
    return /\d+(\.\d+)+/.exec(new TextDecoder().decode(stdout))?.[0];
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/** Starts a server, and resolves when it has printed `ready`. Ends it when it is disposed of. */
export async function startServer(
  command: string,
  args: readonly string[],
  ready: string,
): Promise<AsyncDisposable> {
  // In a group of its own: an interrupt in the terminal is for the one who ends it in order.
  const child = spawn("sh", ["-c", RUN, "sh", command, ...args], { detached: true });
  const closed = once(child, "close");
  const stop = async () => {
    child.stdin.end();
    await closed;
  };
  const output = new PassThrough();
  child.stdout.pipe(output, { end: false });
  child.stderr.pipe(output, { end: false });
  closed.then(() => output.end());
  const said: string[] = [];
  for await (const line of createInterface({ input: output })) {
    said.push(line);
    if (!line.includes(ready)) continue;
    output.resume(); // What it says from now on nobody reads.
    return { [Symbol.asyncDispose]: stop };
  }
  await stop();
  throw new Error(`Cannot start ${command}: ${said.slice(-5).join("\n")}`);
}
