/**
 * `feedsync objects`: its definition.
 *
 * @module
 */
import type { Command } from "../command.ts";

/** The definition of the command. */
export const objects: Command = {
  name: "objects",
  summary: "list, show or drop objects of the bucket, also what is damaged or foreign",
  description:
    "Lists, shows or drops objects of the bucket, also what is damaged or not feedsync's",
  usage: ["list [KEY] [--foreign]", "show KEY [--content]", "drop KEY... [--force] [--dry-run]"],
  operands: [
    {
      name: "list, show or drop",
      required: true,
      choices: {
        list: "print kind, time, size, server and key of each, in the order of the store",
        show:
          "read one, and print what is in it, or why it cannot be read; then the exit code is 1",
        drop: "say what the others lose, delete it, and make sure that it is gone",
      },
    },
    {
      name: "KEY",
      repeated: true,
      help:
        "as list prints it, without the prefix of the store; for list also the beginning of one",
    },
  ],
  flags: {
    foreign: { help: "list only what is not feedsync's" },
    content: { help: "also show the content and the metadata of each update, as JSON" },
    force: { help: "drop it even if it can be read, here or by a server with other keys" },
    "dry-run": { help: "only say what dropping means" },
  },
  notes: [
    "Works on any machine that can read the bucket, without a state. Nothing that is listed is " +
    "changed but by drop, which only deletes: without --force nothing but damaged and foreign objects.",
    "With --json each object is a line: " +
    '{"key","kind","server","stream","first","last","size","lastModified",...} from list; from show ' +
    'also "readable", "unreadable" ({"reason","error","message"}), "encryptedWith", "header" and ' +
    '"updates"; from drop also "consequence" and "status" ("dropped" or "would drop").',
  ],
};
