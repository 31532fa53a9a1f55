/**
 * `feedsync get`: its definition.
 *
 * @module
 */
import type { Command } from "../command.ts";

/** The definition of the command. */
export const get: Command = {
  name: "get",
  summary: "print the newest content of a feed",
  description: "Prints the newest content of a feed, byte for byte as it was published",
  usage: ["URL [--output FILE]"],
  operands: [{ name: "URL", required: true, help: "URL of the feed" }],
  flags: {
    output: { short: "o", value: "FILE", help: "write to FILE, atomically" },
  },
  notes: [
    "Exits with 65 when no server has published the feed, or when the feed is gone. With --json, " +
    'prints the whole update as tail does, even if the feed is gone ("removed": true).',
    "If a watch with this state has polled within the last ten minutes, get takes two or three " +
    "requests. Otherwise it reads the whole log in the bucket. It delivers nothing and moves no " +
    "cursor.",
  ],
};
