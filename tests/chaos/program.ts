/**
 * Programs that run as processes of their own, are killed, and started again.
 *
 * @module
 */
import { fileURLToPath } from "node:url";
import { linesOf } from "../../lib/cli/demo/output_lines.ts";

/** What a program is started with. */
export interface Launch {
  /** Path of the program, from the root of the project. */
  readonly path: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** Who is told of what a program says. */
export interface Listener {
  /** A line on standard output, whole. */
  onLine(line: string): void;
  /** A line on standard error. */
  onErrorLine(line: string): void;
  /** It has ended by itself. */
  onUnexpectedEnd(code: number): void;
}

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

interface Run {
  readonly child: Deno.ChildProcess;
  /** Resolves when the process has ended and all its output is read. */
  readonly ended: Promise<void>;
  stopped: boolean;
}

/** A program that is killed and started again. */
export class Program implements AsyncDisposable {
  /** What it is called. */
  readonly name: string;
  /** Its processes so far. */
  readonly pids: number[] = [];
  /** How often it was killed. */
  kills = 0;
  readonly #launch: () => Launch;
  readonly #listener: Listener;
  #run: Run | undefined;
  #said = Promise.withResolvers<void>();
  #isOver = false;

  /** A program that does not run yet; `launch` is asked at each start. */
  constructor(name: string, launch: () => Launch, listener: Listener) {
    this.name = name;
    this.#launch = launch;
    this.#listener = listener;
  }

  /** Its process; undefined while there is none. */
  get pid(): number | undefined {
    return this.#run && this.pids.at(-1);
  }

  /** Starts it, unless it runs. */
  start(): void {
    if (this.#run || this.#isOver) return;
    const { path, args, env } = this.#launch();
    const child = new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--config", `${ROOT}deno.json`, ROOT + path, ...args],
      env: { NO_COLOR: "1", ...env },
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.pids.push(child.pid);
    const run: Run = { child, stopped: false, ended: Promise.resolve() };
    this.#run = Object.assign(run, { ended: this.#follow(run) });
  }

  /** Ends it with a signal, if it runs, and waits until all that it said is read. */
  async stop(signal: "SIGKILL" | "SIGTERM"): Promise<void> {
    const run = this.#run;
    if (!run) return;
    if (signal === "SIGKILL" && !run.stopped) this.kills++;
    run.stopped = true;
    run.child.kill(signal);
    await run.ended;
  }

  /** Waits for its next line on standard output. */
  async heard(): Promise<void> {
    await this.#said.promise;
  }

  /** Writes a line to its standard input. */
  async tell(line: string): Promise<void> {
    const writer = this.#run?.child.stdin.getWriter();
    try {
      await writer?.write(new TextEncoder().encode(`${line}\n`));
    } catch {
      // It has just ended.
    } finally {
      writer?.releaseLock();
    }
  }

  /** Kills it for good. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isOver = true;
    await this.stop("SIGKILL");
  }

  async #follow(run: Run): Promise<void> {
    const { child } = run;
    const read = async (
      stream: ReadableStream<Uint8Array<ArrayBuffer>>,
      tell: (line: string) => void,
    ) => {
      for await (const line of linesOf(stream)) tell(line);
    };
    await Promise.all([
      read(child.stdout, (line) => {
        this.#said.resolve();
        this.#said = Promise.withResolvers();
        this.#listener.onLine(line);
      }),
      read(child.stderr, (line) => this.#listener.onErrorLine(line)),
    ]);
    const { code } = await child.status;
    await child.stdin.close().catch(() => {});
    this.#run = undefined;
    if (!run.stopped) this.#listener.onUnexpectedEnd(code);
  }
}
