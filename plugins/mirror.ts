/**
 * Keeps a directory with one file for each feed, `NAME.feed`, where NAME is the URL in
 * percent-encoding: `https%3A%2F%2Fexample.com%2Ffeed.xml.feed`. Text and bytes are written as they
 * were published, parsed content as indented JSON.
 *
 * Beside it, `NAME.feed.json` holds `{"url", "metadata", "id", "server", "time"}`, and as `sha256` which
 * content that belongs to; `replaces` what was in the file before, until it is written; `seal` tells whether somebody changed it. It is written first and deleted
 * last, so that whoever watches the directory finds the URL of every feed. Both files are replaced in
 * one step, whole or not at all, keep mode, owner and group, and outlast a power failure. A file is
 * never replaced by an older update, and is deleted when its feed is removed.
 *
 * A feed that is in another file of the directory already, by its name or its `.feed.json`, is written
 * to that one. What somebody saved in a file, and nobody has read yet, is not written over: when it is
 * newer than the update it stays, and when it is older it is kept as `NAME.feed.kept-TIME`. So is a
 * symbolic link: a file takes its place, and what is saved where it leads is not published any more.
 *
 * Updates wait while the directory seems to be the mount point of a disk that is not mounted: another
 * one than before, and empty or without files that were seen. To fill it anew, put an empty file
 * `.feedsync-new` into it.
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
import { type AnyPlugin, definePlugin, RejectedUpdateError, type Update } from "@feedsync/feedsync";
import { feedFileName, FeedSink, messageOf } from "@feedsync/feedsync/plugin";
import { resolve } from "node:path";
import * as z from "zod";

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
  async setup({ options, directory, files, logger }) {
    const feeds = resolve(directory, options.directory);
    return await FeedSink.open(feeds, { known: files, logger });
  },
  async onUpdate(update, { state: sink, signal }) {
    if (update.superseded) return;
    assertNameable(update);
    await sink.apply(update, signal);
  },
});
export default mirror;

/** Trying again is no use. */
function assertNameable({ url }: Update): void {
  try {
    feedFileName(url);
  } catch (cause) {
    throw new RejectedUpdateError(messageOf(cause), { cause });
  }
}
