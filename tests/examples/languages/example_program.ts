/**
 * A running example.
 *
 * @module
 */
import assert from "node:assert/strict";

/** Should a program not end, or not print what is expected: milliseconds. */
const SAFETY_NET_MS = 60_000;

/** A line of a consumer: an update that it has handled. */
export interface Handled {
  readonly stream: string;
  readonly seq: number;
  readonly url: string;
}

/** An example that runs until it is killed. What it prints is read as it is asked for. */
export class ExampleProgram implements AsyncDisposable {
  readonly #process: Deno.ChildProcess;
  readonly #output: ReadableStreamDefaultReader<string>;
  readonly #stderr: Promise<string>;
  readonly #safetyNet: ReturnType<typeof setTimeout>;
  #rest = "";

  constructor([program, ...args]: readonly string[], env: Record<string, string>) {
    this.#process = new Deno.Command(program, {
      args,
      env,
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.#output = this.#process.stdout.pipeThrough(new TextDecoderStream()).getReader();
    this.#stderr = new Response(this.#process.stderr).text();
    this.#safetyNet = setTimeout(() => this.#process.kill("SIGKILL"), SAFETY_NET_MS);
  }

  /** Reads the updates that it handles, until there are enough. It waits while nobody reads. */
  async handles(isEnough: (handled: readonly Handled[]) => boolean): Promise<Handled[]> {
    const handled: Handled[] = [];
    while (!isEnough(handled)) {
      const lines = await this.#read();
      if (!lines) assert.fail(`It ended after ${handled.length} updates: ${await this.#stderr}`);
      handled.push(...lines);
    }
    return handled;
  }

  /** Kills it, and returns what it has handled meanwhile. */
  async kill(): Promise<Handled[]> {
    this.#process.kill("SIGKILL");
    const handled: Handled[] = [];
    for (let lines; (lines = await this.#read()) !== undefined;) handled.push(...lines);
    await this.#end();
    return handled;
  }

  /** Waits until it ends by itself. */
  async ends(): Promise<{ code: number; stderr: string }> {
    while (await this.#read() !== undefined);
    return await this.#end();
  }

  async #read(): Promise<Handled[] | undefined> {
    const { value, done } = await this.#output.read();
    if (done) return undefined; // A line that is cut off is not handled.
    const lines = (this.#rest + value).split("\n");
    this.#rest = lines.pop()!;
    return lines.map((line) => {
      const [stream, seq, url] = line.split(" ");
      return { stream, seq: Number(seq), url };
    });
  }

  async #end(): Promise<{ code: number; stderr: string }> {
    const { code } = await this.#process.status;
    clearTimeout(this.#safetyNet);
    return { code, stderr: await this.#stderr };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#process.kill("SIGKILL");
    } catch {
      // It has ended already.
    }
    await this.ends().catch(() => {});
  }
}

/** Runs an example to its end. */
export async function run(
  [program, ...args]: readonly string[],
  { env, stdin = "" }: { readonly env: Record<string, string>; readonly stdin?: string },
): Promise<string> {
  const process = new Deno.Command(program, {
    args,
    env,
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  await new Blob([stdin]).stream().pipeTo(process.stdin).catch(() => {});
  const { success, stdout, stderr } = await process.output();
  const [out, err] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
  assert.ok(success, `${program} ${args.join(" ")}: ${out}${err}`);
  return out;
}
