/**
 * Servers that are programs of this machine, for tests.
 *
 * @module
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";

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

/** Time for a server to start. What runs on Java takes some. */
const START_MS = 60_000, LOOK_MS = 50;

/**
 * Starts a server, and resolves when it is ready: when it has printed `ready`, or when that
 * resolves to true. Ends it when it is disposed of.
 */
export async function startServer(
  command: string,
  args: readonly string[],
  ready: string | (() => Promise<boolean>),
): Promise<AsyncDisposable> {
  // In a group of its own: an interrupt in the terminal is for the one who ends it in order.
  const child = spawn("sh", ["-c", RUN, "sh", command, ...args], { detached: true });
  let isRunning = true, hasSaid = false;
  const closed = once(child, "close").then(() => isRunning = false);
  const last: string[] = [];
  for (const output of [child.stdout, child.stderr]) {
    createInterface({ input: output }).on("line", (line) => {
      hasSaid ||= line.includes(String(ready));
      last.splice(0, last.push(line) - 5);
    });
  }
  const stop = async () => {
    child.stdin.end();
    await closed;
  };
  const isReady = typeof ready === "string" ? () => Promise.resolve(hasSaid) : ready;
  for (const end = performance.now() + START_MS; !await isReady();) {
    if (isRunning && performance.now() < end) {
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
      continue;
    }
    await stop();
    throw new Error(`Cannot start ${command}: ${last.join("\n")}`);
  }
  return { [Symbol.asyncDispose]: stop };
}
