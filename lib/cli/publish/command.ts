/**
 * `feedsync publish`: its definition.
 *
 * @module
 */
import type { Command } from "../command.ts";

/** The definition of the command. */
export const publish: Command = {
  name: "publish",
  summary: "publish a file or standard input, or that a feed is gone",
  description: "Publishes an update of a feed, and returns when it is in the bucket",
  usage: [
    "URL [FILE|-] [--metadata K=V]... [--if-changed] [--json-content]",
    "URL --remove [--metadata K=V]...",
    "--ndjson [--if-changed]",
  ],
  operands: [
    {
      name: "URL",
      help: "URL of the feed, http or https; printed as it is stored",
    },
    { name: "FILE", help: "the new content; by default, or with -, standard input" },
  ],
  flags: {
    metadata: {
      value: "K=V",
      repeated: true,
      help: "add metadata to the update; may be given several times",
    },
    "if-changed": { help: "do nothing if this is already the newest known content" },
    "json-content": { help: "parse the content as JSON and publish the value" },
    remove: { help: "publish that the feed is gone" },
    ndjson: { help: "publish the updates on standard input, one JSON object per line" },
  },
  notes: [
    "After exit code 75 the update is queued; after 77, 78, 130 and 143 it may be, and the " +
    "message says so. The next watch or publish with the same state uploads queued updates: do " +
    "not publish them again.",
    "With --ndjson, each line is an object with url and content, and maybe metadata, removed, " +
    "encoding (base64) or id: a name by which an update that is given again within a day is " +
    "recognised. For each line, in order, it prints a receipt or an error, both as JSON.",
    "Example: curl -fsS https://example.com/feed.xml | " +
    "feedsync publish https://example.com/feed.xml",
  ],
};
