/**
 * Checks the configuration.
 *
 * @module
 */
import { ConfigError } from "../errors.ts";
import type { Config } from "../config/config.ts";
import { type Finding, ok, warning } from "./finding.ts";
import type { Subject } from "./subject.ts";

/** What became of loading a configuration. */
export interface Loaded<T> {
  /** What was loaded, without unknown keys; absent if it cannot be used even so. */
  readonly value?: T;
  /** What is wrong with it. */
  readonly error?: ConfigError;
}

/** Loads a configuration; if that fails, loads it again without unknown keys, to go on with the rest. */
export async function loadLeniently<T>(
  load: (changes: Pick<Config, "unknownKeys">) => T | Promise<T>,
): Promise<Loaded<T>> {
  try {
    return { value: await load({}) };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    try {
      return { value: await load({ unknownKeys: "warn" }), error };
    } catch {
      return { error };
    }
  }
}

/** Tells what is configured, and what is unusual about it. */
export function* checkConfiguration({ config }: Subject): Iterable<Finding> {
  const { enabled, server, store } = config;
  yield ok(`The server is called ${server}, and uses the store ${store}`);
  if (!enabled) {
    yield warning("feedsync is disabled", "Remove 'enabled' or set it to true to enable it");
  }
}
