/**
 * Opens the store and the state of `watch` for commands that only read them.
 *
 * @module
 */
import { systemEnvironment } from "../base/environment.ts";
import type { LoadedConfig } from "../config/load.ts";
import { resolveConfig } from "../config/resolve.ts";
import { connect } from "../connect.ts";
import type { FeedSync } from "../connection.ts";
import { messageOf, StateError } from "../errors.ts";
import { State } from "../state/state.ts";
import { explainStore, logger } from "./settings.ts";

/**
 * Connects to the store for lookups: changes nothing in it, and leaves the state of `watch` alone.
 * The secret of peers is only compared with.
 */
export async function connectToLookUp(settings: LoadedConfig): Promise<FeedSync> {
  const { secret } = settings.config.wake ?? {};
  const config = { ...settings.config, state: ":memory:", wake: { secret } };
  const sync = await connect(config, settings);
  explainStore(sync, settings);
  return sync;
}

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
