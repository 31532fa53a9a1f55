/**
 * Tools for plugins besides {@linkcode definePlugin}. The built-in plugins import nothing else of
 * feedsync, so a copy of one works anywhere.
 *
 * @example A plugin that keeps the newest content of each feed in a file
 * ```ts
 * import { contentBytes, definePlugin } from "@feedsync/feedsync";
 * import { feedFileName, renameDurably, writeDurably } from "@feedsync/feedsync/plugin";
 *
 * export default definePlugin({
 *   name: "newest",
 *   async onUpdate(update, { directory }) {
 *     const content = contentBytes(update);
 *     if (update.superseded || content === undefined) return;
 *     const unfinished = `${directory}/${crypto.randomUUID()}.tmp`;
 *     await writeDurably(unfinished, content);
 *     await renameDurably(unfinished, `${directory}/${feedFileName(update.url)}`);
 *   },
 * });
 * ```
 *
 * @module
 */
export { renameDurably, writeDurably } from "./base/durable_file.ts";
export { DURATION, DURATION_RULE, parseDuration } from "./base/duration.ts";
export { originOf, post } from "./base/http_post.ts";
export type { Answer, PostRequest } from "./base/http_post.ts";
export { print } from "./base/stdout.ts";
export { messageOf } from "./errors.ts";
export { shownUrl } from "./feed_url.ts";
export { feedFileName } from "./files/feed_names.ts";
export { FeedSink } from "./files/writing/feed_sink.ts";
export type { FeedSinkOptions } from "./files/writing/feed_sink.ts";
export { findExecutable, findExecutableProblem } from "./plugins/executable.ts";
export { Signer } from "./wake/signature.ts";
