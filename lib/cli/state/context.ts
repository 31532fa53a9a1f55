/**
 * What the actions of `feedsync state` work with.
 *
 * @module
 */
import { systemEnvironment } from "../../base/environment.ts";
import type { LoadedConfig } from "../../config/load.ts";
import type { ResolvedConfig } from "../../config/resolve.ts";
import { State } from "../../state/state.ts";
import { summarize } from "../../state/summary.ts";
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

/**
 * Opens the state at `path`, whoever it belongs to, for this process alone. If it belongs to no store
 * yet, it gets the one in the configuration.
 *
 * @throws {StateError} when another process uses it, or it cannot be used.
 */
export function openAlone(path: string, config: Pick<ResolvedConfig, "store">): State {
  const { server, store = config.store } = summarize(path);
  const { random } = systemEnvironment;
  return new State(path, { server, store }, random, { isExclusive: true });
}
