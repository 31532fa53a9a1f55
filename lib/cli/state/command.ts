/**
 * `feedsync state`: its definition.
 *
 * @module
 */
import type { Command } from "../command.ts";

/** The definition of the command. */
export const state: Command = {
  name: "state",
  summary: "show, check or back up the state of this server, or give it another name or store",
  description:
    "Shows, checks or backs up the state of this server, or gives it another name or store",
  usage: ["show", "check", "backup FILE", "rename NEW-NAME", "move [--incomplete]"],
  operands: [
    {
      name: "show, check, backup, rename or move",
      required: true,
      choices: {
        show: "print whose the state is, and what is in it",
        check: "examine all of it for damage",
        backup: "write it to a new file, which is complete or not there; works while a watch runs",
        rename: "give the server another name; what is queued is published under that one",
        move:
          "have it go with the store in the configuration, which must hold everything that was " +
          "in the former one",
      },
    },
    { name: "FILE or NEW-NAME" },
  ],
  flags: {
    incomplete: { help: "move although the store lacks what the state knows, which is then gone" },
  },
  notes: [
    "rename and move need the state for themselves: stop feedsync on this machine before. A state " +
    "in .feedsync/<server>.db gets the name of its server. Only move uses the store, and it only " +
    "reads. docs/moving.md has each step.",
    'With --json: {"state","server","queued",...} from all but check, which prints ' +
    '{"state","problems"}, and ends with 78 if there are any. Times are milliseconds since 1970.',
  ],
};
