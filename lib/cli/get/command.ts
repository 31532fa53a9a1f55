/**
 * `feedsync get`: how it is used.
 *
 * @module
 */
import type { Command } from "../command.ts";

/** Its definition. */
export const get: Command = {
  name: "get",
  summary: "print the newest content of a feed",
  description: "Prints the newest content of a feed, byte for byte as it was published",
  usage: ["URL [--output FILE]"],
  operands: [{ name: "URL", required: true, help: "URL of the feed" }],
  flags: {
    output: { short: "o", value: "FILE", help: "write it to FILE, whole or not at all" },
  },
  notes: [
    "It ends with 65 when no server has published the feed, and when the feed is gone. With --json it " +
    'prints the whole update as tail does, also one that says that the feed is gone ("removed": true).',
    "Where a watch with this state has polled within the last ten minutes, that takes two or three " +
    "requests. Otherwise all that the bucket still holds of the log is read. Nothing is delivered, and " +
    "no position moves.",
  ],
};
