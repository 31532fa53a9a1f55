/**
 * What the tests of plugins share: updates, a directory, and a plugin that runs as it does in
 * `watch`.
 *
 * @module
 */
import { type Plugin, type PluginLogger, startPlugin } from "../../lib/plugin.ts";
import type { FeedContent, Gap, Update, UpdateBase } from "../../lib/update.ts";

/** An update with text content; `changes` replaces what matters to a test. */
export function makeUpdate(changes: Partial<UpdateBase> & FeedContent = {}): Update {
  return {
    id: "7f9c24e8-3b12-4fef-91e0-5d6a2b8c4d10",
    url: "https://example.com/feed.xml",
    content: "<rss/>",
    metadata: {},
    server: "web-1",
    time: "2026-01-02T03:04:05.678Z",
    stream: "web-1_abcdefgh",
    seq: 1,
    superseded: false,
    ...changes,
  } as Update;
}

/** An update that says that the feed is gone. */
export function makeRemoval(changes: Partial<UpdateBase> = {}): Update {
  return makeUpdate({ content: undefined, removed: true, ...changes });
}

/** A directory that is deleted at the end of the test. */
export interface TemporaryDirectory extends AsyncDisposable {
  /** Absolute path. */
  readonly path: string;
}

/** Makes an empty directory. */
export async function temporaryDirectory(): Promise<TemporaryDirectory> {
  const path = await Deno.realPath(await Deno.makeTempDir({ prefix: "feedsync plugins " }));
  return { path, [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }) };
}

/** A plugin that has been set up. */
export interface StartedPlugin extends AsyncDisposable {
  /** Hands it an update. */
  update(update: Update, signal?: AbortSignal): Promise<void>;
  /** Tells it of a gap. */
  gap(gap: Gap): Promise<void>;
  /** What it logged: `level: message`. */
  readonly logged: string[];
}

/** Starts a plugin as `watch` does. */
export async function start<Options, State>(
  plugin: Plugin<Options, State>,
  options: unknown,
  directory = "/dev/null",
): Promise<StartedPlugin> {
  const logged: string[] = [];
  const host = { server: "web-2", directory, logger: recordingLogger(logged) };
  const running = await startPlugin(plugin, options, host);
  return {
    logged,
    update: async (update, signal = new AbortController().signal) =>
      await running.onUpdate(update, signal),
    gap: async (gap) => await running.onGap(gap, new AbortController().signal),
    [Symbol.asyncDispose]: () => running.close(),
  };
}

function recordingLogger(logged: string[]): PluginLogger {
  const record = (level: string) => (message: string) => void logged.push(`${level}: ${message}`);
  return {
    debug: record("debug"),
    info: record("info"),
    warn: record("warn"),
    error: record("error"),
  };
}
