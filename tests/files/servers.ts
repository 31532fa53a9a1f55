/** Servers around one store in a directory, which share a directory of feed files. */
import { resolveConfig } from "../../lib/config/resolve.ts";
import { Connection } from "../../lib/connection.ts";
import { type Environment, systemEnvironment } from "../../lib/base/environment.ts";
import { fileRecords, knownFiles } from "../../lib/files/state_records.ts";
import type { ScanReport } from "../../lib/files/watching/scan.ts";
import { FileWatcher, type FileWatcherOptions } from "../../lib/files/watching/file_watcher.ts";
import { type RunningPlugin, startPlugin } from "../../lib/plugin.ts";
import { flush, publish } from "../../lib/publish.ts";
import { catchUp, knowsOthers } from "../../lib/reading/lookup/learning.ts";
import { openStore } from "../../lib/stores/open.ts";
import { MAX_LISTING_LAG_MS, type ObjectStore } from "../../lib/stores/store.ts";
import { contentHash, type UpdateInput } from "../../lib/update.ts";
import { watchWith } from "../../lib/watch.ts";
import mirror from "../../plugins/mirror.ts";
import { TestLog } from "./setting.ts";

/** The clock of who publishes is ahead of file times by this: milliseconds. */
export const AHEAD = 60_000;

/** What a server does. */
export interface ServerOptions {
  /** Writes what it receives to the directory. */
  readonly mirrors?: boolean;
  /** Name of its state; servers with the same one are the same, started again. @default its name */
  readonly state?: string;
  /** Changes what it sees of the store. */
  readonly through?: (store: ObjectStore) => ObjectStore;
  /** Polls; otherwise it only publishes. @default true */
  readonly watches?: boolean;
  /** Its clock is ahead by so many milliseconds. */
  readonly ahead?: number;
}

/** A server of the scene. */
export interface Server extends AsyncDisposable {
  /** What it logs about files. */
  readonly log: TestLog;
  /** Its connection. */
  readonly connection: Connection;
  /** Watches the directory. */
  readonly files: FileWatcher;
  /** Looks at the directory, and uploads what changed. */
  scan(): Promise<ScanReport>;
  /** Applies what is new. */
  poll(): Promise<void>;
  /** Publishes an update. */
  publish(update: UpdateInput): Promise<void>;
}

/** One bucket, one directory of feed files, any servers. */
export class Scene implements AsyncDisposable {
  readonly root: string = Deno.makeTempDirSync();
  readonly directory: string = `${this.root}/feeds`;

  constructor() {
    Deno.mkdirSync(this.directory);
  }

  path(name: string): string {
    return `${this.directory}/${name}`;
  }

  write(name: string, text: string): Promise<void> {
    return Deno.writeTextFile(this.path(name), text);
  }

  read(name: string): Promise<string> {
    return Deno.readTextFile(this.path(name));
  }

  /** Names in the directory. */
  async names(): Promise<string[]> {
    return (await Array.fromAsync(Deno.readDir(this.directory), ({ name }) => name)).sort();
  }

  /** Contents of the kept copies. */
  async kept(): Promise<string[]> {
    const names = (await this.names()).filter((name) => name.includes(".kept-"));
    return await Promise.all(names.map((name) => this.read(name)));
  }

  /** Paths of the objects in the bucket. */
  async objects(directory = `${this.root}/store/tail`): Promise<string[]> {
    const entries = await Array.fromAsync(Deno.readDir(directory));
    const found = entries.map(({ name, isDirectory }) => {
      const path = `${directory}/${name}`;
      return isDirectory ? this.objects(path) : [path];
    });
    return (await Promise.all(found)).flat();
  }

  async server(
    name: string,
    serverOptions: ServerOptions & Partial<FileWatcherOptions> = {},
  ): Promise<Server> {
    const {
      mirrors = false,
      state = name,
      through = (store) => store,
      watches = true,
      ahead = 0,
      ...given
    } = serverOptions;
    const config = resolveConfig({
      store: `file:${this.root}/store`,
      server: name,
      state: `${this.root}/${state}.db`,
    });
    const { clock } = systemEnvironment;
    const environment: Environment = {
      ...systemEnvironment,
      clock: {
        ...clock,
        now: () => clock.now() + ahead,
        // Listings of a directory do not lag: nobody has to wait for them.
        setTimer: (ms, callback) => clock.setTimer(ms === MAX_LISTING_LAG_MS ? 0 : ms, callback),
      },
    };
    const store = await openStore(config.store, {}, { directory: this.root, environment });
    const connection = new Connection(config, through(store), { environment });
    const parts = connection.parts!, log = new TestLog();
    const plugins: RunningPlugin[] = [];
    if (mirrors) {
      const host = { server: name, directory: this.root, logger: log, files: knownFiles(parts) };
      plugins.push(await startPlugin(mirror, { directory: "feeds" }, host));
    }
    const options = { manual: true, outagePatienceMs: 100 };
    const watcher = watches ? watchWith(connection, plugins, options) : undefined;
    const files = new FileWatcher(this.directory, fileRecords(parts), {
      environment: systemEnvironment,
      settleMs: 20,
      rescanMs: 60_000,
      publishRemovals: false,
      logger: log,
      isRestored: (signal) => knowsOthers(connection, signal),
      catchUp: (signal) => catchUp(connection, signal),
      ...given,
    });
    return {
      log,
      connection,
      files,
      async scan() {
        const report = await files.scan();
        await flush(connection, {});
        return report;
      },
      poll: async () => void await watcher?.poll(),
      publish: async (update) => void await publish(connection, update),
      async [Symbol.asyncDispose]() {
        await files.close();
        await watcher?.close();
        await connection.close();
      },
    };
  }

  /** What a cleanup after the retention leaves: the newest update of each feed, for good, and no log. */
  async expire(): Promise<void> {
    await using server = await this.server("cleaner", { watches: false });
    const { log } = server.connection.parts!;
    for (const [stream, names] of await log.list()) {
      for (const name of names) {
        for (const update of (await log.read(name))!.decode().updates) {
          await log.newest.write({ ...update, stream });
        }
      }
      await log.delete(names.map(({ key }) => key));
    }
  }

  /** Publishes by another server, after all that was written to files by now. */
  async publish(update: UpdateInput, { ahead = 0 } = {}): Promise<void> {
    await using other = await this.server("elsewhere", { ahead });
    await other.publish(update);
  }

  /** Whether this is what a server that begins now takes for the newest content of the URL. */
  async isNewest(url: string, content: string): Promise<boolean> {
    await using reader = await this.server(`reader-${crypto.randomUUID()}`);
    await reader.poll();
    return reader.connection.parts!.state.newest.get(url)?.hash === contentHash(content);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.root, { recursive: true });
  }
}
