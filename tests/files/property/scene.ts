import { AutoResetEvent } from "../../../lib/base/event.ts";
import { systemEnvironment } from "../../../lib/base/environment.ts";
import { connect, type FilesWatcher, watch, watchFiles } from "../../../mod.ts";
import type { Chance } from "../../sim/chance.ts";
import { contentOf, type Published, type Rules } from "./feed.ts";
import { Feeds } from "./feeds.ts";

/** What is not published when nothing was for so many milliseconds is lost. */
const PATIENCE = 30_000;

/** Nothing arrives any more, perhaps: milliseconds. */
const QUIET = 100;

/** What a scene is made with. */
export interface SceneOptions extends Rules {
  /** Milliseconds from one look at the whole directory to the next. */
  readonly rescan: number;
  /** How many feed files there may be. */
  readonly count: number;
  /** The part of them whose names are not UTF-8. */
  readonly rawNames: number;
}

/** A directory, and a server that publishes what changes in it while it is running. */
export class Scene implements AsyncDisposable {
  /** What is in the directory. */
  readonly feeds: Feeds;
  readonly #root: string;
  readonly #options: SceneOptions;
  #server: { readonly files: FilesWatcher; stop(): Promise<void> } | undefined;

  private constructor(root: string, feeds: Feeds, options: SceneOptions) {
    this.feeds = feeds;
    this.#root = root;
    this.#options = options;
  }

  /** A scene in which the directory has no feeds yet and the server does not run. */
  static async prepare(chance: Chance, options: SceneOptions): Promise<Scene> {
    const root = await Deno.makeTempDir({ prefix: "feedsync-files-" });
    const feeds = await Feeds.prepare(root, chance, options.count, options.rawNames);
    return new Scene(root, feeds, options);
  }

  /** Starts the server, if it is not running. */
  async start(): Promise<FilesWatcher> {
    if (this.#server) return this.#server.files;
    const store = `file:${this.#root}/store`, state = `${this.#root}/state.db`;
    const sync = await connect({ store, state, server: "watching" });
    // However many: whole directories are replaced.
    const publishRemovals = this.#options.publishRemovals && "all";
    const files = watchFiles(sync, this.feeds.directory, { ...this.#options, publishRemovals });
    const stop = async () => {
      await files.close();
      await sync.close();
    };
    this.#server = { files, stop };
    return files;
  }

  /** Stops the server, whatever it is doing. */
  async stop(): Promise<void> {
    await this.#server?.stop();
    this.#server = undefined;
  }

  /** Waits until all is published that should be; returns what is wrong with what was published. */
  async findProblems(): Promise<string[]> {
    await this.feeds.end();
    const files = await this.start();
    const published = new Map<string, (string | null)[]>();
    const arrival = new AutoResetEvent(systemEnvironment.clock);
    await using sync = await connect({ store: `file:${this.#root}/store`, server: "reading" });
    await using reader = watch(sync, (update) => {
      published.getOrInsertComputed(update.url, () => []).push(contentOf(update));
      arrival.set();
    });
    // All at one time: a file may get back what it held, and what is between arrives later.
    const missing = () =>
      this.feeds.all.filter((feed) =>
        !feed.isPublished(published.get(feed.url) ?? [], this.#options)
      );
    for (let quiet = 0; quiet === 0 || (quiet < PATIENCE && missing().length > 0);) {
      quiet = await arrival.wait(QUIET) ? 0 : quiet + QUIET;
    }
    const problems = missing().map(({ path }) => `nothing but a scan on request published ${path}`);
    await files.scan();
    const idle = await files.scan();
    const empty = this.feeds.all.filter(({ content }) => content === "").length;
    if (idle.failed.length !== empty || idle.published + idle.removed + idle.unsettled.length > 0) {
      problems.push(`a scan did something, though nothing changed: ${JSON.stringify(idle)}`);
    }
    await this.stop();
    await reader.poll();
    return [...problems, ...this.#judge(published)];
  }

  #judge(published: Map<string, Published>): string[] {
    const problems = this.feeds.all.flatMap((feed) => {
      const contents = published.get(feed.url) ?? [];
      published.delete(feed.url);
      const problem = feed.problem(contents, this.#options);
      return problem ? `${problem}: ${feed.describe(contents)}` : [];
    });
    if (published.size > 0) problems.push(`published, but no feeds: ${[...published.keys()]}`);
    return problems;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    await Deno.remove(this.#root, { recursive: true });
  }
}
