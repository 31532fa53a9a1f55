/**
 * What the actions of `feedsync state` work with.
 *
 * @module
 */
import type { LoadedConfig } from "../../config/load.ts";
import type { Arguments } from "../command.ts";

/** What an action works with. */
export interface ActionContext {
  /** The path of the state. */
  readonly path: string;
  /** The operand of the action; empty when it takes none. */
  readonly operand: string;
  readonly args: Arguments;
  readonly settings: LoadedConfig;
  readonly signal: AbortSignal;
  /** Prints the result: the value with `--json`, else the lines. */
  report(value: unknown, ...lines: string[]): Promise<void>;
}
