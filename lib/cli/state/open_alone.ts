/**
 * Opens a state to change whose it is.
 *
 * @module
 */
import { systemEnvironment } from "../../base/environment.ts";
import type { ResolvedConfig } from "../../config/resolve.ts";
import { State } from "../../state/state.ts";
import { summarize } from "../../state/summary.ts";

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
