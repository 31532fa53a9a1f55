/**
 * Tests plugins: sets a plugin up as `watch` does, gives it updates, and collects its log messages.
 *
 * @example
 * ```ts
 * import { definePlugin, RejectedUpdateError } from "@feedsync/feedsync";
 * import { testPlugin } from "@feedsync/feedsync/testing";
 * import assert from "node:assert/strict";
 *
 * const titles = definePlugin({
 *   name: "titles",
 *   onUpdate({ content, url }, { logger }) {
 *     const title = /<title>(.*?)<\/title>/.exec(String(content))?.[1];
 *     if (title === undefined) throw new RejectedUpdateError(`${url} has no title`);
 *     logger.info(title);
 *   },
 * });
 *
 * await using test = await testPlugin(titles);
 * await test.update({ content: "<title>News</title>" });
 * assert.deepEqual(test.logs, [{ level: "info", message: "News" }]);
 * await assert.rejects(test.update({ content: "<rss></rss>" }), RejectedUpdateError);
 * ```
 *
 * @module
 */
import { resolve } from "node:path";
import { defined } from "./config/merge.ts";
import { checkPlugins } from "./plugins/check_plugin.ts";
import { loadPlugins } from "./plugins/load_plugins.ts";
import type { PluginLogger, PluginUse, RunningPlugin } from "./plugin.ts";
import type { FeedContent, Gap, JsonObject, Update, UpdateBase } from "./update.ts";

/** Options of {@linkcode testPlugin}. */
export interface TestPluginOptions {
  /** Name of this server. @default {"web-2"} */
  readonly server?: string | undefined;
  /** Where relative paths in the plugin's options start. @default the working directory */
  readonly directory?: string | undefined;
}

/** The members of an update that matter to a test; the others get default values. */
export interface TestUpdate extends FeedContent {
  /** UUID of the update. @default a new one */
  readonly id?: string | undefined;
  /** URL of the feed. @default {"https://example.com/feed.xml"} */
  readonly url?: string | undefined;
  /** Metadata of the update. @default {{}} */
  readonly metadata?: JsonObject | undefined;
  /** Name of the server that published it. @default {"web-1"} */
  readonly server?: string | undefined;
  /** When it was published, ISO 8601. @default now */
  readonly time?: string | undefined;
  /** The stream it belongs to. @default {"web-1_abcdefgh"} */
  readonly stream?: string | undefined;
  /** Its position in the stream. @default the next one */
  readonly seq?: number | undefined;
  /** Whether a newer update of the same URL is known. @default false */
  readonly superseded?: boolean | undefined;
  /** Whether the update is delivered as restored. @default false */
  readonly restored?: boolean | undefined;
}

/** A message that the plugin logged. */
export interface PluginLog {
  /** Level of the message. */
  readonly level: "debug" | "info" | "warn" | "error";
  /** Text of the message. */
  readonly message: string;
}

/** A plugin that is set up. Close it, or bind it with `await using`. */
export interface PluginTest extends AsyncDisposable {
  /** The messages that the plugin has logged so far. */
  readonly logs: readonly PluginLog[];
  /**
   * Delivers an update once, and returns it. By default it has new content for
   * `https://example.com/feed.xml`, a new `id`, the next `seq` and the current time.
   *
   * @throws the error of the plugin.
   */
  update(update?: TestUpdate, options?: CallOptions): Promise<Update>;
  /**
   * Reports a gap to the plugin, and returns it.
   *
   * @throws the error of the plugin.
   */
  gap(gap?: Partial<Gap>, options?: CallOptions): Promise<Gap>;
  /** Closes the plugin; further calls do nothing. */
  close(): Promise<void>;
}

/** Options of a call. */
export interface CallOptions {
  /** The `signal` for the plugin: abort it to test a call that takes too long. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Sets up a plugin, given alone or as a pair with its options.
 *
 * @example With options
 * ```ts
 * import mirror from "@feedsync/feedsync/plugins/mirror";
 * import { testPlugin } from "@feedsync/feedsync/testing";
 *
 * const directory = await Deno.makeTempDir();
 * await using test = await testPlugin([mirror, { directory: "./feeds" }], { directory });
 * const { url } = await test.update({ url: "https://example.com/a", content: "<rss></rss>" });
 * console.log(await Deno.readTextFile(`${directory}/feeds/${encodeURIComponent(url)}.feed`));
 * ```
 *
 * @throws {ConfigError} when the options are invalid, or the setup fails.
 */
export async function testPlugin<Input>(
  plugin: PluginUse<Input>,
  options: TestPluginOptions = {},
): Promise<PluginTest> {
  const { server = "web-2", directory = "." } = options;
  const use = plugin as PluginUse;
  checkPlugins([use]);
  const logs: PluginLog[] = [];
  const logger = collect(logs);
  const [running] = await loadPlugins([use], {
    server,
    directory: resolve(directory),
    loggerFor: () => logger,
  });
  return new RunningTest(running, logs);
}

class RunningTest implements PluginTest {
  readonly logs: readonly PluginLog[];
  readonly #plugin: RunningPlugin;
  #seq = 0;
  #closing: Promise<void> | undefined;

  constructor(plugin: RunningPlugin, logs: readonly PluginLog[]) {
    this.#plugin = plugin;
    this.logs = logs;
  }

  async update(given: TestUpdate = {}, { signal }: CallOptions = {}): Promise<Update> {
    const update = completed(given, this.#seq + 1);
    this.#seq = update.seq;
    await this.#plugin.onUpdate(update, signal ?? new AbortController().signal);
    return update;
  }

  async gap(given: Partial<Gap> = {}, { signal }: CallOptions = {}): Promise<Gap> {
    const { stream = STREAM, first = this.#seq + 1 } = given;
    const gap = { stream, first, last: given.last ?? first };
    await this.#plugin.onGap(gap, signal ?? new AbortController().signal);
    return gap;
  }

  close(): Promise<void> {
    return this.#closing ??= this.#plugin.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

const SERVER = "web-1", STREAM = `${SERVER}_abcdefgh`;

function completed(
  { content, removed, restored, ...given }: TestUpdate,
  seq: number,
): Update {
  const base: UpdateBase = {
    id: crypto.randomUUID(),
    url: "https://example.com/feed.xml",
    metadata: {},
    server: SERVER,
    time: new Date().toISOString(),
    stream: STREAM,
    seq,
    superseded: false,
    ...defined(given),
    ...restored && { restored },
  };
  if (removed) return { ...base, content: undefined, removed: true };
  return { ...base, content: content === undefined ? "<rss></rss>" : content };
}

function collect(logs: PluginLog[]): PluginLogger {
  const log = (level: PluginLog["level"]) => (message: string) =>
    void logs.push({ level, message });
  return { debug: log("debug"), info: log("info"), warn: log("warn"), error: log("error") };
}
