/**
 * The stage of the demo: three servers and a store in a temporary directory.
 *
 * @module
 */
import { join } from "node:path";
import { sleep, systemEnvironment } from "../../base/environment.ts";
import { feedFileName } from "../../files/feed_names.ts";
import type { FleetStatus } from "../../fleet/status/fleet_status.ts";
import { FeedSyncError } from "../../errors.ts";
import type { Saved } from "./check.ts";
import { SETTLE, type Show } from "./events.ts";
import type { LogLine } from "./output_lines.ts";
import { loadAhead } from "./load_ahead.ts";
import { selfArguments } from "./self_command.ts";
import type { SampleFeed } from "./sample_feeds.ts";
import { DemoServer } from "./server.ts";
import { type Arrival, environmentWithoutSettings, WatchProcess } from "./watch_process.ts";

/** Options of {@linkcode Stage.open}. */
export interface StageOptions {
  /** Ends the demo early. */
  readonly signal: AbortSignal;
  /** Called for each event. */
  readonly show: Show;
  /** Called for each line that a server logs. */
  readonly onLog: (server: string, line: LogLine) => void;
  /** Called with a notice when loading takes long. */
  readonly notice: (text: string) => void;
  /** Flags for all servers. */
  readonly flags: readonly string[];
  /** Milliseconds between two events, so that people can follow. */
  readonly pace: number;
}

/** Time limit for the demo. */
const MAX_RUN_MS = 25_000;

/** Delay between polls, presences, and scans for changes that the file system does not report. */
const INTERVAL = "1s";

/** Name of the watched directory, and URL of the store. */
const FEEDS = "feeds", STORE = "file:store";

/** How often and how long to look for the presences of all servers. */
const LOOK_MS = 200, MAX_LOOK_MS = 5000;

/**
 * The servers and their directory. Disposing of it kills all processes and removes the directory.
 */
export class Stage implements AsyncDisposable {
  /** The server that publishes the files of its directory. */
  readonly web1: DemoServer = new DemoServer("web-1", (server) => this.#spawn(server));
  /** A server that applies updates from the store. */
  readonly web2: DemoServer = new DemoServer("web-2", (server) => this.#spawn(server));
  /** Another such server, which is killed once. */
  readonly web3: DemoServer = new DemoServer("web-3", (server) => this.#spawn(server));
  /** Every file that was saved. */
  readonly saved: Saved[] = [];
  readonly #directory: string;
  readonly #options: StageOptions;
  /** Aborts waiting for the servers. */
  readonly #limited: AbortSignal;

  private constructor(directory: string, options: StageOptions) {
    this.#directory = directory;
    this.#options = options;
    this.#limited = AbortSignal.any([options.signal, AbortSignal.timeout(MAX_RUN_MS)]);
  }

  /** Creates the directory and loads the packages of the servers, without starting them. */
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

  /** Announces the next part. */
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

  /** Saves an edition as editors do: writes it under another name, then renames it. */
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

  /** Resolves when these servers have applied all saved files. */
  async applied(...servers: DemoServer[]): Promise<void> {
    await Promise.all(servers.map((server) => server.applied(this.saved.length)));
  }

  /** The status of the servers, once each has told how it is from now on. */
  async status(): Promise<FleetStatus> {
    const since = Date.now();
    for (;;) {
      const shown = await this.#readStatus();
      const told = shown.servers.filter(({ report }) =>
        report && Date.parse(report.written) >= since
      );
      if (told.length >= this.#servers.length || Date.now() - since > MAX_LOOK_MS) return shown;
      await sleep(systemEnvironment.clock, LOOK_MS, this.#limited);
    }
  }

  /** Runs `feedsync status`: in this process, it would download packages that others need first. */
  async #readStatus(): Promise<FleetStatus> {
    const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: selfArguments(["status", "--json", "--store", STORE]),
      cwd: this.#directory,
      clearEnv: true,
      env: environmentWithoutSettings(),
      signal: this.#limited,
      stdin: "null",
    }).output();
    try {
      return JSON.parse(new TextDecoder().decode(stdout));
    } catch (cause) {
      const message = new TextDecoder().decode(stderr).trim();
      throw new FeedSyncError(`The demo failed to show the status: ${message}`, { cause });
    }
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
    const own = ["--server", name, "--store", STORE, "--state", `${name}.db`];
    return new WatchProcess({
      directory: this.#directory,
      args: [...own, ...publishes ? ["--files", FEEDS] : [], ...flags],
      settings: {
        FEEDSYNC_POLL: INTERVAL,
        FEEDSYNC_PRESENCE: INTERVAL,
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
