/**
 * `feedsync dead-letters`: its definition.
 *
 * @module
 */
import type { Command } from "../command.ts";

/** The definition of the command. */
export const deadLetters: Command = {
  name: "dead-letters",
  summary: "list, show, retry or drop updates that a plugin could not apply",
  description: "Lists, retries or drops updates that a plugin could not apply",
  usage: ["list [ID...]", "show [ID...]", "retry [ID...|--all]", "drop ID...|--all"],
  operands: [
    {
      name: "list, show, retry or drop",
      required: true,
      choices: {
        list: "print ID, time, plugin, stream and seq, URL and error of each",
        show: "also print the update, as JSON on a line of its own",
        retry: "hand each to its plugin once more: applied ones are dropped, the others are kept " +
          "with the new error, and the exit code is 1",
        drop: "delete them",
      },
    },
    { name: "ID", repeated: true, help: "number in the list; without an ID: all" },
  ],
  flags: { all: { help: "all dead letters; drop requires this or an ID" } },
  notes: [
    "Works while a watch uses the same state, and without the store. A watch automatically " +
    "retries updates that a plugin may have failed to apply because its backend was away. With " +
    '--json each line is {"id","plugin","stream","seq","url","error","time"}, with "retryAt" if ' +
    'it is retried automatically, with "update" from show, and with "status" ("applied", ' +
    '"failed" or "dropped") from retry and drop.',
  ],
};
