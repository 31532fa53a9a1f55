/**
 * Where the demo plays: three servers and one store in a temporary directory.
 *
 * @module
 */
import { join } from "node:path";
import { sleep, systemEnvironment } from "../../base/environment.ts";
import { feedFileName } from "../../files/feed_names.ts";
import type { Saved } from "./check.ts";
import { SETTLE, type Show } from "./events.ts";
import type { LogLine } from "./output_lines.ts";
import { loadAhead } from "./load_ahead.ts";
import type { SampleFeed } from "./sample_feeds.ts";
import { DemoServer } from "./server.ts";
import { type Arrival, environmentWithoutSettings, WatchProcess } from "./watch_process.ts";

/** How the stage is set. */
export interface StageOptions {
  /** Ends the demo early. */
  readonly signal: AbortSignal;
  /** Told of everything that happens. */
  readonly show: Show;
  /** Told of everything that a server logs. */
  readonly onLog: (server: string, line: LogLine) => void;
  /** Told what takes long before anything happens. */
  readonly notice: (text: string) => void;
  /** Flags for all servers. */
  readonly flags: readonly string[];
  /** Milliseconds between two things that happen, for people who watch. */
  readonly pace: number;
}

/** The servers have failed when they take longer. */
const MAX_RUN_MS = 25_000;

/** Where the file system does not tell of changes, they are found by scanning this often. */
const INTERVAL = "1s";

/** The directory that is watched, in the temporary one. */
const FEEDS = "feeds";

/** When it is disposed of, all processes are killed and the directory is removed. */
export class Stage implements AsyncDisposable {
  /** Publishes the files of its directory. */
  readonly web1: DemoServer = new DemoServer("web-1", (server) => this.#spawn(server));
  /** Applies what it finds in the store. */
  readonly web2: DemoServer = new DemoServer("web-2", (server) => this.#spawn(server));
  /** Also applies what it finds, and is killed once. */
  readonly web3: DemoServer = new DemoServer("web-3", (server) => this.#spawn(server));
  /** Every file that was saved. */
  readonly saved: Saved[] = [];
  readonly #directory: string;
  readonly #options: StageOptions;
  /** Ends waiting for the servers. */
  readonly #limited: AbortSignal;

  private constructor(directory: string, options: StageOptions) {
    this.#directory = directory;
    this.#options = options;
    this.#limited = AbortSignal.any([options.signal, AbortSignal.timeout(MAX_RUN_MS)]);
  }

  /** Makes the directory, and loads what the servers need; none runs yet. */
  static async open(options: StageOptions): Promise<Stage> {
    const { signal, notice } = options;
    signal.throwIfAborted();
    const directory = await Deno.makeTempDir({ prefix: "feedsync-demo-" });
    try {
      await loadAhead({ directory, env: environmentWithoutSettings(), signal, notice });
      return new Stage(directory, options);
    } catch (error) {
      await Deno.remove(directory, { recursive: true });
      throw error;
    }
  }

  /** Announces what comes next. */
  async act(text: string): Promise<void> {
    await this.#pause(2);
    await this.#options.show({ event: "act", text });
  }

  /** Starts these servers; resolves when they watch. */
  async start(...servers: DemoServer[]): Promise<void> {
    await Deno.mkdir(join(this.#directory, FEEDS), { recursive: true });
    await Promise.all(servers.map(async (server) => {
      await server.start();
      await this.#options.show({ event: "watching", server: server.name });
    }));
  }

  /** Kills a server. */
  async kill(server: DemoServer): Promise<void> {
    await server.kill();
    await this.#options.show({ event: "killed", server: server.name });
  }

  /** Saves an edition as editors do: writes it under another name, then renames that. */
  async save({ url, format, editions }: SampleFeed, edition: number): Promise<void> {
    await this.#pause(1);
    const { headline, content } = editions[edition];
    const directory = join(this.#directory, FEEDS);
    const temporary = join(directory, ".new");
    await Deno.writeTextFile(temporary, content);
    const seq = this.saved.length + 1;
    const server = this.web1.name;
    await this.#options.show({ event: "saved", server, seq, url, format, headline });
    this.saved.push({ url, content, headline, at: Date.now() });
    await Deno.rename(temporary, join(directory, feedFileName(url)));
  }

  /** Resolves when these servers have applied everything that was saved. */
  async applied(...servers: DemoServer[]): Promise<void> {
    await Promise.all(servers.map((server) => server.applied(this.saved.length)));
  }

  /** Ends all servers gracefully. */
  async stop(): Promise<void> {
    await Promise.all(this.#servers.map((server) => server.stop()));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const processes = this.#servers.flatMap((server) => server.processes);
    await Promise.all(processes.map((process) => process[Symbol.asyncDispose]()));
    await Deno.remove(this.#directory, { recursive: true });
  }

  get #servers(): DemoServer[] {
    return [this.web1, this.web2, this.web3];
  }

  #spawn({ name }: DemoServer): WatchProcess {
    const { flags, onLog } = this.#options;
    const publishes = name === this.web1.name;
    const own = ["--server", name, "--store", "file:store", "--state", `${name}.db`];
    return new WatchProcess({
      directory: this.#directory,
      args: [...own, ...publishes ? ["--files", FEEDS] : [], ...flags],
      settings: {
        FEEDSYNC_POLL: INTERVAL,
        ...publishes && { FEEDSYNC_FILES_RESCAN: INTERVAL, FEEDSYNC_FILES_SETTLE: SETTLE },
      },
      signal: this.#limited,
      onArrival: (arrival) => this.#arrived(name, arrival),
      onLog: (line) => onLog(name, line),
    });
  }

  async #arrived(server: string, { update: { seq, url }, at }: Arrival): Promise<void> {
    const saved = this.saved[seq - 1];
    await this.#options.show({
      event: "applied",
      server,
      seq,
      url,
      headline: saved?.headline ?? url,
      ms: at - (saved?.at ?? at),
    });
  }

  async #pause(beats: number): Promise<void> {
    const { pace, signal } = this.#options;
    await sleep(systemEnvironment.clock, beats * pace, signal);
  }
}
