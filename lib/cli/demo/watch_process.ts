/**
 * A `feedsync watch --json` process of the demo.
 *
 * @module
 */
import { FeedSyncError } from "../../errors.ts";
import type { RequestCounts } from "../../stores/store.ts";
import type { Update } from "../../update.ts";
import { selfArguments } from "./self_command.ts";
import { linesOf, type LogLine, readLog } from "./output_lines.ts";

/** An update, as the process printed it. */
export interface Arrival {
  /** The update. */
  readonly update: Pick<Update, "id" | "url" | "content" | "time" | "stream" | "seq">;
  /** When its line was read, in milliseconds since 1970. */
  readonly at: number;
}

/** Options of {@linkcode WatchProcess}. */
export interface WatchProcessOptions {
  /** Working directory, without a configuration file. */
  readonly directory: string;
  /** Arguments after `watch --json`. */
  readonly args: readonly string[];
  /** Its `FEEDSYNC_` variables; those of this process are not inherited. */
  readonly settings: Readonly<Record<string, string>>;
  /** Aborts all waiting. */
  readonly signal: AbortSignal;
  /** Called for each update. */
  readonly onArrival: (arrival: Arrival) => Promise<void>;
  /** Called for each line on its standard error. */
  readonly onLog: (line: LogLine) => void;
}

/** A running or ended `watch`. Disposing of it kills the process. */
export class WatchProcess implements AsyncDisposable {
  /** The updates that it has printed so far. */
  readonly arrivals: Arrival[] = [];
  /** When it started to watch, in milliseconds since 1970. */
  watchingSince = Infinity;
  /** Requests that it sent to the store; known after a graceful end. */
  requests: RequestCounts | undefined;
  readonly #options: WatchProcessOptions;
  readonly #child: Deno.ChildProcess;
  readonly #ended: Promise<void>;
  readonly #wake = () => this.#news.resolve();
  #news = Promise.withResolvers<void>();
  #hasEnded = false;
  #failure: unknown;
  #lastLog = "no message";

  /** Starts the process. */
  constructor(options: WatchProcessOptions) {
    this.#options = options;
    this.#child = new Deno.Command(Deno.execPath(), {
      args: selfArguments(["watch", "--json", ...options.args]),
      cwd: options.directory,
      clearEnv: true,
      env: { ...environmentWithoutSettings(), ...options.settings },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.#ended = this.#follow();
    options.signal.addEventListener("abort", this.#wake);
  }

  /** Resolves when `condition` holds; rejects when the process has ended, or the time is up. */
  async until(condition: () => boolean, what: string): Promise<void> {
    while (!condition()) {
      const { signal } = this.#options;
      if (isTimeout(signal)) throw new FeedSyncError(`The demo took too long to see ${what}`);
      signal.throwIfAborted();
      if (this.#failure) throw this.#failure;
      if (this.#hasEnded) {
        throw new FeedSyncError(
          `The demo cannot see ${what}: the process ended after it had said "${this.#lastLog}"`,
        );
      }
      await this.#news.promise;
    }
  }

  /** Sends SIGTERM, and resolves when the process has ended. */
  async stop(what: string): Promise<void> {
    this.#send("SIGTERM");
    await this.until(() => this.#hasEnded, what);
    if (this.#failure) throw this.#failure;
  }

  /** Sends SIGKILL, and resolves when the process has ended and its output is read. */
  async kill(): Promise<void> {
    this.#send("SIGKILL");
    await this.#ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
    this.#options.signal.removeEventListener("abort", this.#wake);
  }

  #send(signal: Deno.Signal): void {
    try {
      this.#child.kill(signal);
    } catch {
      // The process has already ended.
    }
  }

  /** Reads the output until the end. Never rejects: `until()` reports the failure. */
  async #follow(): Promise<void> {
    const { stdout, stderr, status } = this.#child;
    try {
      await Promise.all([this.#readUpdates(stdout), this.#readLog(stderr)]);
    } catch (error) {
      this.#failure = error;
    }
    this.#announce();
    await status;
    this.#hasEnded = true;
    this.#announce();
  }

  async #readUpdates(stdout: ReadableStream<Uint8Array<ArrayBuffer>>): Promise<void> {
    for await (const line of linesOf(stdout)) {
      const arrival = { update: JSON.parse(line), at: Date.now() };
      this.arrivals.push(arrival);
      await this.#options.onArrival(arrival);
      this.#announce();
    }
  }

  async #readLog(stderr: ReadableStream<Uint8Array<ArrayBuffer>>): Promise<void> {
    for await (const text of linesOf(stderr)) {
      const line = readLog(text);
      const { message, properties } = line;
      this.#lastLog = message;
      if (message.startsWith("Watching ")) this.watchingSince = Date.now();
      if (message.startsWith("Requests: ")) this.requests = properties as unknown as RequestCounts;
      this.#options.onLog(line);
      this.#announce();
    }
  }

  #announce(): void {
    this.#news.resolve();
    this.#news = Promise.withResolvers();
  }
}

function isTimeout({ reason }: AbortSignal): boolean {
  return reason instanceof DOMException && reason.name === "TimeoutError";
}

/** The environment variables of this process, without the settings of feedsync. */
export function environmentWithoutSettings(): Record<string, string> {
  const variables = Object.entries(Deno.env.toObject());
  return Object.fromEntries(variables.filter(([name]) => !name.startsWith("FEEDSYNC_")));
}
