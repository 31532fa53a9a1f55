/**
 * Programs in processes of their own: where memory and start-up are measured.
 *
 * @module
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

/** A running program. It is ended when it is disposed of. */
export interface Program extends AsyncDisposable {
  /** What it prints. */
  readonly lines: AsyncIterableIterator<string>;
}

/** Path of a file, given relative to this directory. */
export function pathOf(name: string): string {
  return fileURLToPath(new URL(name, import.meta.url));
}

/** Starts a program of `programs/` with `input` as JSON for its argument. */
export function startProgram(name: string, input: unknown = null): Program {
  const args = ["run", "-A", pathOf(`programs/${name}`), JSON.stringify(input)];
  const child = spawn(Deno.execPath(), args, { stdio: ["ignore", "pipe", "inherit"] });
  const ended = once(child, "close");
  return {
    lines: createInterface({ input: child.stdout })[Symbol.asyncIterator](),
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
