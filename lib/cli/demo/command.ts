/**
 * `feedsync demo`: its definition.
 *
 * @module
 */
import type { Command } from "../command.ts";

/** The definition of the command. */
export const demo: Command = {
  name: "demo",
  summary: "run three servers on this machine",
  description: "Starts three servers on this machine and shows how they keep in step",
  usage: [""],
};
