/**
 * Opens the store and the state of `watch` for commands that only read them.
 *
 * @module
 */
import { systemEnvironment } from "../base/environment.ts";
import type { LoadedConfig } from "../config/load.ts";
import { resolveConfig } from "../config/resolve.ts";
import { messageOf, StateError } from "../errors.ts";
import { State } from "../state/state.ts";
import { logger } from "./settings.ts";

/**
 * Opens the state. Returns undefined when there is none, or when it cannot be used, for example
 * with this store: then logs why, and what `follows`.
 */
export function openStateIfThere(settings: LoadedConfig, follows: string): State | undefined {
  const { state: path, server, store, movedFrom } = resolveConfig(settings.config, settings);
  try {
    Deno.statSync(path);
  } catch {
    return undefined;
  }
  try {
    return new State(path, { server, store, movedFrom }, systemEnvironment.random);
  } catch (error) {
    if (!(error instanceof StateError)) throw error;
    logger.warn("{message}; {follows}", { message: messageOf(error), follows });
    return undefined;
  }
}
