/**
 * Prints each update on standard output, one line each:
 *
 * ```text
 * 12:00:01  web-1  https://example.com/feed.xml  1.2 kB
 * 12:00:02  web-2  https://example.com/old.xml  removed
 * 12:00:02  web-1  https://example.com/feed.xml  980 B  superseded
 * Gap: updates 5 to 9 of web-1_abcdefgh were lost before they were seen here
 * ```
 *
 * The time is that of publication, in this machine's time zone. `superseded` marks an update that
 * arrived after a newer one of the same feed, `restored` one that was restored, because this server
 * is new or was away. Characters that a terminal could take for commands are printed as `\u001b`.
 *
 * | option | default | |
 * |---|---|---|
 * | `format` | `"text"` | or `"json"`: NDJSON, each line an update as `feedsync tail` prints it, or `{"gap":{"stream","first","last"}}` |
 *
 * A program that reads this from a pipe and crashes loses updates: what is printed counts as applied,
 * whatever the program did with it. Programs read updates from the
 * [local API](../docs/api.md) instead, and acknowledge them when they are stored.
 *
 * @example In feedsync.json
 * ```json
 * { "plugins": [["log", { "format": "json" }]] }
 * ```
 *
 * @module
 */
import {
  type AnyPlugin,
  contentBytes,
  definePlugin,
  type Gap,
  type Update,
  updateToJson,
} from "@feedsync/feedsync";
import { print, shownUrl } from "@feedsync/feedsync/plugin";
import * as z from "zod";

/** Options of the plugin `log`. */
export interface LogOptions {
  /** Lines for people, or NDJSON. @default {"text"} */
  readonly format?: "text" | "json" | undefined;
}

/** The plugin `log`, for `connect` and `watch` in programs. */
const log: AnyPlugin<LogOptions> = definePlugin({
  name: "log",
  options: z.strictObject({
    format: z.enum(["text", "json"]).default("text"),
  }),
  onUpdate(update, { options }) {
    return print(options.format === "json" ? JSON.stringify(updateToJson(update)) : line(update));
  },
  onGap(gap, { options }) {
    return print(options.format === "json" ? JSON.stringify({ gap }) : gapLine(gap));
  },
});
export default log;

function line(update: Update): string {
  const { url, server, time, superseded, restored } = update;
  const content = contentBytes(update);
  const columns = [
    new Date(time).toTimeString().slice(0, "hh:mm:ss".length),
    server,
    shownUrl(url),
    content ? formatBytes(content.length) : "removed",
  ];
  if (superseded) columns.push("superseded");
  if (restored) columns.push("restored");
  return columns.join("  ");
}

function gapLine({ stream, first, last }: Gap): string {
  return `Gap: updates ${first} to ${last} of ${stream} were lost before they were seen here`;
}

function formatBytes(bytes: number): string {
  if (bytes < 1_000) return `${bytes} B`;
  if (bytes < 999_950) return `${(bytes / 1_000).toFixed(1)} kB`;
  return `${(bytes / 1_000_000).toFixed(1)} MB`;
}
