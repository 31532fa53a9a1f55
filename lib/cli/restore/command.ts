/**
 * `feedsync restore`: how it is used.
 *
 * @module
 */
import type { Command } from "../command.ts";

/** Its definition. */
export const restore: Command = {
  name: "restore",
  summary: "hand the newest content of all feeds, or some, to the plugins again",
  description:
    "Hands the newest update of each feed to the plugins again, whether or not they have had it",
  usage: ["[URL...] [--plugin NAME]"],
  operands: [{ name: "URL", repeated: true, help: "only these feeds; without any: all" }],
  flags: { plugin: { value: "NAME", help: "only to the plugin of this name" } },
  notes: [
    "Brings back a mirror that was wiped, or fills a plugin that is new. It sets up plugins of its own, moves " +
    "no position, and works beside a running watch with the same state.",
    "What a plugin cannot apply becomes a dead letter, and it ends with 1 then; with 65 when no server has " +
    "published a URL, or an object in the bucket is damaged. With --json every update that is applied is " +
    "printed, instead of what the log plugin prints.",
  ],
};
