/**
 * Programs in processes of their own: where memory, start-up and what goes on between processes is
 * measured.
 *
 * @module
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

/** A running program. It is ended when it is disposed of. */
export interface Program extends AsyncDisposable {
  /** Its process. */
  readonly pid: number;
  /** What it prints. */
  readonly lines: AsyncIterableIterator<string>;
  /** Sends it a line of JSON. */
  send(message: unknown): void;
}

/** Path of a file, given relative to this directory. */
export function pathOf(name: string): string {
  return fileURLToPath(new URL(name, import.meta.url));
}

/** Starts a program of `programs/` with `input` as JSON for its argument. */
export function startProgram(name: string, input: unknown = null): Program {
  return start(Deno.execPath(), ["run", "-A", pathOf(`programs/${name}`)], input);
}

/** Starts a program that is built for Node, in the same way. */
export function startNodeProgram(path: string, input: unknown): Program {
  return start("node", [path], input);
}

function start(command: string, args: readonly string[], input: unknown): Program {
  const child = spawn(command, [...args, JSON.stringify(input)], {
    stdio: ["pipe", "pipe", "inherit"],
    // In a group of its own: an interrupt in the terminal is for the one who ends it in order.
    detached: true,
  });
  child.stdin.on("error", () => {}); // That it has ended shows where its lines end.
  const ended = once(child, "close");
  return {
    pid: child.pid!,
    lines: createInterface({ input: child.stdout })[Symbol.asyncIterator](),
    send: (message) => void child.stdin.write(`${JSON.stringify(message)}\n`),
    async [Symbol.asyncDispose]() {
      child.kill();
      await ended;
    },
  };
}

/** Runs a Deno program to its end. */
export async function runProgram(path: string, ...args: string[]): Promise<void> {
  const command = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", path, ...args],
    stdout: "null",
    stderr: "inherit",
  });
  const { success } = await command.output();
  if (!success) throw new Error(`Cannot run ${path}, see above`);
}
