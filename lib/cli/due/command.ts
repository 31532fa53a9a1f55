/**
 * `feedsync due`: its definition.
 *
 * @module
 */
import type { Command } from "../command.ts";

/** The definition of the command. */
export const due: Command = {
  name: "due",
  summary: "print the feeds that this server is to fetch now",
  description: "Prints the feeds whose turn it is on this server, and leases them to the caller",
  usage: ["[FILE...|-] --every 15m [--limit N]"],
  operands: [
    {
      name: "FILE",
      repeated: true,
      help: "list of feeds: one URL per line, or OPML; by default, or with -, standard input",
    },
  ],
  flags: {
    every: { value: "TIME", help: "how often each feed is to be fetched (required)" },
    limit: { value: "N", help: "print at most N feeds, the most overdue ones (default: no limit)" },
  },
  notes: [
    "Prints one URL per line. With -v, logs why the others wait, and until when. With --json, " +
    'prints all: {"url","due":true,"validators","headers","leasedUntil"} with the headers to send, ' +
    'or {"url","due":false,"reason","until","owner","problem"}.',
    "No other caller gets these feeds for five minutes: fetch them, publish what has changed, " +
    "and tell the result with checked. Then ask again: feeds of one domain come one after the " +
    "other. In lists, blank lines and lines that begin with # are ignored.",
    "Example: feedsync due subscriptions.opml --every 15m",
  ],
};
