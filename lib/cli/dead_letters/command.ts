/**
 * `feedsync dead-letters`: how it is used.
 *
 * @module
 */
import type { Command } from "../command.ts";

/** Its definition. */
export const deadLetters: Command = {
  name: "dead-letters",
  summary: "list, show, retry or drop updates that a plugin could not apply",
  description: "Lists updates that a plugin could not apply, tries them again, or forgets them",
  usage: ["list [ID...]", "show [ID...]", "retry [ID...|--all]", "drop ID...|--all"],
  operands: [
    {
      name: "list, show, retry or drop",
      required: true,
      choices: {
        list: "print ID, time, plugin, stream and seq, URL and error of each",
        show: "also print the update, as JSON on a line of its own",
        retry: "hand each to its plugin once more: what is applied is dropped, the rest is kept " +
          "with the new error, and the exit code is 1",
        drop: "forget them",
      },
    },
    { name: "ID", repeated: true, help: "number in the list; without any: all" },
  ],
  flags: { all: { help: "also all; drop insists on it" } },
  notes: [
    "Works beside a running watch with the same state, and without the store. A watch retries by " +
    "itself what a plugin may have failed to apply because its backend was away. With --json each " +
    'line is {"id","plugin","stream","seq","url","error","time"}, with "retryAt" when it is ' +
    'retried by itself, with "update" from show, and with "status" ("applied", "failed" or ' +
    '"dropped") from retry and drop.',
  ],
};
