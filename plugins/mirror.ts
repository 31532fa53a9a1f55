/**
 * Keeps a directory with one file for each feed, `NAME.feed`, where NAME is the URL in
 * percent-encoding: `https%3A%2F%2Fexample.com%2Ffeed.xml.feed`. Text and bytes are written as they
 * were published, parsed content as indented JSON.
 *
 * Beside it, `NAME.feed.json` holds `{"url", "metadata", "id", "server", "time"}`. It is written
 * first and deleted last, so that whoever watches the directory finds the URL of every feed. Both
 * files are replaced in one step, whole or not at all, and outlast a power failure. A file is never
 * replaced by an older update, and is deleted when its feed is removed.
 *
 * | option | default | |
 * |---|---|---|
 * | `directory` | required | where the files go; made when missing; relative to the configuration file |
 *
 * @example In feedsync.json
 * ```json
 * { "plugins": [["mirror", { "directory": "./feeds" }]] }
 * ```
 *
 * @module
 */
import {
  type AnyPlugin,
  contentBytes,
  definePlugin,
  RejectedUpdateError,
  type Update,
} from "@feedsync/feedsync";
import { join, resolve } from "node:path";
import { z } from "zod";
import { messageOf } from "../lib/errors.ts";
import { feedFileName } from "../lib/feed_names.ts";
import { renameDurably, writeDurably } from "../lib/stores/durable_file.ts";

/** Options of the plugin `mirror`. */
export interface MirrorOptions {
  /** Where the files go; made when missing. Relative to the directory of the configuration. */
  readonly directory: string;
}

/** The plugin `mirror`, for `connect` and `watch` in programs. */
const mirror: AnyPlugin<MirrorOptions> = definePlugin({
  name: "mirror",
  options: z.strictObject({
    directory: z.string().min(1),
  }),
  async setup({ options, directory }) {
    const feeds = resolve(directory, options.directory);
    await Deno.mkdir(feeds, { recursive: true });
    await removeLeftovers(feeds);
    return { feeds };
  },
  async onUpdate(update, { state, signal }) {
    if (update.superseded) return;
    const path = join(state.feeds, fileName(update.url));
    const content = contentBytes(update);
    if (content === undefined) {
      await remove(path);
      await remove(`${path}.json`);
    } else {
      await replace(state.feeds, `${path}.json`, describe(update), signal);
      await replace(state.feeds, path, content, signal);
    }
  },
});
export default mirror;

function fileName(url: string): string {
  try {
    return feedFileName(url);
  } catch (cause) {
    throw new RejectedUpdateError(messageOf(cause), { cause });
  }
}

function describe({ url, metadata, id, server, time }: Update): Uint8Array {
  return new TextEncoder().encode(
    JSON.stringify({ url, metadata, id, server, time }, null, 2) + "\n",
  );
}

/**
 * Writes a temporary file and renames it to `path`, which replaces a symbolic link instead of
 * following it. Its name is new each time: a call that ran out of time may still be writing.
 */
async function replace(directory: string, path: string, bytes: Uint8Array, signal: AbortSignal) {
  const temporary = join(directory, `.feedsync-${crypto.randomUUID()}.tmp`);
  try {
    await writeDurably(temporary, bytes);
    signal.throwIfAborted();
    await renameDurably(temporary, path);
  } catch (cause) {
    await remove(temporary).catch(() => {}); // What went wrong first is what is told.
    signal.throwIfAborted();
    // What Deno says of a full disk names no file.
    throw new Error(`Cannot write '${path}': ${messageOf(cause)}`, { cause });
  }
}

async function remove(path: string) {
  try {
    await Deno.remove(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

const TEMPORARY_NAME = /^\.feedsync-[0-9a-f-]{36}\.tmp$/;
const LEFTOVER_AGE_MS = 10 * 60_000;

/** Deletes the temporary files of processes that crashed; younger ones may still be in use. */
async function removeLeftovers(directory: string) {
  for await (const { name } of Deno.readDir(directory)) {
    if (!TEMPORARY_NAME.test(name)) continue;
    const path = join(directory, name);
    const mtime = (await Deno.lstat(path).catch(() => undefined))?.mtime;
    if (mtime && Date.now() - mtime.getTime() > LEFTOVER_AGE_MS) await remove(path);
  }
}
