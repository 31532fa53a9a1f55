/**
 * `feedsync rekey`: how it is used.
 *
 * @module
 */
import type { Command } from "../command.ts";

/** Its definition. */
export const rekey: Command = {
  name: "rekey",
  summary: "encrypt with the first key what is kept for good",
  description:
    "Writes what is kept for good anew, with the first key and the names key of the file",
  usage: ["[--dry-run]"],
  flags: { "dry-run": { help: "only tell how many objects would be written anew" } },
  notes: [
    "It is safe at any time, on any server, again and again. Run it after the keys were changed on all servers, until it reports 0 objects. Then the old key can be " +
    'dropped, see `feedsync help keygen`. With --json {"examined","rekeyed","failed"}.',
  ],
};
