import { type RunOptions, start } from "./feedsync.ts";

/** Should a process not end by itself. */
const SAFETY_NET_MS = 60_000;

/** How to run it. */
export interface RunningOptions extends Omit<RunOptions, "stdin"> {
  /** When it is killed. @default after a minute */
  readonly safetyNetMs?: number | undefined;
}

/** A running command, with what it says on standard error. */
export class Running implements AsyncDisposable {
  readonly #process: Deno.ChildProcess;
  readonly #input: WritableStreamDefaultWriter<Uint8Array<ArrayBuffer>>;
  readonly #output: Promise<string>;
  readonly #lines: AsyncGenerator<string>;
  readonly #safetyNet: ReturnType<typeof setTimeout>;
  #said = "";

  constructor(args: string[], { safetyNetMs = SAFETY_NET_MS, ...options }: RunningOptions) {
    this.#process = start(args, options);
    this.#input = this.#process.stdin.getWriter();
    this.#output = new Response(this.#process.stdout).text();
    this.#lines = linesOf(this.#process.stderr);
    this.#safetyNet = setTimeout(() => this.kill("SIGKILL"), safetyNetMs);
  }

  /** What it has said, as far as it was waited for. */
  get said(): string {
    return this.#said;
  }

  /** Waits until it says a line like this, from now on. */
  async says(pattern: RegExp): Promise<void> {
    for (;;) {
      const { value, done } = await this.#lines.next();
      if (done) throw new Error(`It ended without ${pattern}: ${this.#said}`);
      this.#said += `${value}\n`;
      if (pattern.test(value)) return;
    }
  }

  /** Sends a line to its standard input, where the plugins of these tests wait for it. */
  async tell(line: string): Promise<void> {
    await this.#input.write(new TextEncoder().encode(`${line}\n`));
  }

  kill(signal: Deno.Signal): void {
    this.#process.kill(signal);
  }

  /** Waits for its end. */
  async end(): Promise<{ code: number; stdout: string; stderr: string }> {
    const { code } = await this.#process.status;
    clearTimeout(this.#safetyNet);
    for await (const line of this.#lines) this.#said += `${line}\n`;
    await this.#input.abort().catch(() => {});
    return { code, stdout: await this.#output, stderr: this.#said };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.kill("SIGKILL");
    } catch {
      // It has ended already.
    }
    await this.end();
  }
}

async function* linesOf(stream: ReadableStream<Uint8Array<ArrayBuffer>>): AsyncGenerator<string> {
  let rest = "";
  for await (const text of stream.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + text).split("\n");
    rest = lines.pop()!;
    yield* lines;
  }
  if (rest !== "") yield rest;
}
