/**
 * `feedsync cost`: its definition.
 *
 * @module
 */
import type { Command } from "../command.ts";

/** The definition of the command. */
export const cost: Command = {
  name: "cost",
  summary: "estimate what the requests of a month cost",
  description: "Estimates how many requests a fleet sends in a month, and what they cost",
  usage: [
    "--servers N --updates-per-hour U [--feeds F] [--poll 10s] [--turns] " +
    "[--provider aws|r2|b2|linode]",
  ],
  flags: {
    servers: { value: "N", help: "number of servers that publish and watch" },
    "updates-per-hour": { value: "U", help: "updates of all servers together" },
    feeds: {
      value: "F",
      help: "number of feeds (default: the number of updates within the retention)",
    },
    poll: { value: "TIME", help: "delay between polls (default: as configured)" },
    turns: { help: "the servers take turns, see docs/turns.md" },
    provider: {
      value: "NAME",
      choices: ["aws", "r2", "b2", "linode"],
      help: "provider whose prices are used (default: aws)",
    },
  },
  notes: [
    "Prints the configured setup first, and others to compare it with. With --json each " +
    'line is {"way","put","get","list","dollars","provider"}.',
  ],
};
