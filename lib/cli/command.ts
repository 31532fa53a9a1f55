/**
 * What commands are made of.
 *
 * @module
 */
import type { Arguments, Syntax } from "./args.ts";

/** What a command works with. */
export interface CommandContext {
  /** What stands behind the command's name. */
  readonly args: Arguments;
  /** Aborted when the command shall end early. */
  readonly signal: AbortSignal;
  /** Ends the command early, because of `reason`. */
  stop(reason: unknown): void;
}

/** The module of a command. */
export interface Command {
  /** Which arguments it takes, besides the common ones. */
  readonly syntax: Syntax;
  /** Does it. */
  run(context: CommandContext): Promise<void>;
}
