/**
 * `feedsync checked`: its definition.
 *
 * @module
 */
import type { Command } from "../command.ts";

/** The definition of the command. */
export const checked: Command = {
  name: "checked",
  summary: "tell what came of fetching a feed",
  description: "Tells what came of fetching a feed, and prints when its next turn is",
  usage: [
    "URL --headers FILE [--content FILE] [--ttl TIME] [--scope url|host|domain]",
    "URL --status CODE [--etag TEXT] [--last-modified DATE] [--cache-control TEXT] " +
    "[--retry-after TEXT] [--location URL]",
    "URL --error TEXT",
  ],
  operands: [{ name: "URL", required: true, help: "URL of the feed" }],
  flags: {
    status: { value: "CODE", help: "HTTP status of the answer" },
    etag: { value: "TEXT", help: "its header ETag" },
    "last-modified": { value: "DATE", help: "its header Last-Modified" },
    "cache-control": { value: "TEXT", help: "its header Cache-Control" },
    "retry-after": { value: "TEXT", help: "its header Retry-After: seconds, or a date" },
    location: { value: "URL", help: "its header Location" },
    headers: {
      value: "FILE",
      help: "read status and headers from FILE, as curl --dump-header writes it",
    },
    ttl: { value: "TIME", help: "how long the feed itself asks to wait, such as <ttl> of RSS" },
    scope: {
      value: "WHAT",
      choices: ["url", "host", "domain"],
      help: "what Retry-After holds for (default: url)",
    },
    content: {
      value: "FILE",
      help: "content of the answer, if publish did not get it; --content=- for standard input",
    },
    removed: { help: "the removal of the feed was published" },
    error: { value: "TEXT", help: "what went wrong, if there was no usable answer" },
  },
  notes: [
    "A permanent redirect (301, 308) and 410 are printed and change nothing: it is for you to " +
    'decide what becomes of the feed. With --json, prints {"url","next","movedTo","gone"}.',
  ],
};
