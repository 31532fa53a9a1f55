/**
 * What a running `watch` takes over from a configuration that was changed meanwhile.
 *
 * @module
 */
import type { Config } from "./config.ts";

/** How a configuration differs from the one before; keys as they are written in messages. */
export interface Changes {
  /** Keys that are taken over. */
  readonly takenOver: readonly string[];
  /** Keys that have changed, and need a restart. */
  readonly needRestart: readonly string[];
}

/** The keys that can be taken over, with whether that value can, after the one at the start. */
const RELOADABLE: Readonly<Record<string, (begun: unknown, now: unknown) => boolean>> = {
  "logLevel": () => true,
  "poll": () => true,
  // Without a presence, or peers, what looks after them was not started.
  "presence": (begun, now) => begun !== false && now !== false,
  "wake.peers": (begun, now) => isList(begun) && isList(now),
};

/** Sections whose keys are told apart. */
const SECTIONS = ["s3", "encryption", "files", "api", "turns", "wake"] as const;

/**
 * Compares a configuration with the one with which the process has begun, and with the one that was
 * read last.
 */
export function changesIn(
  config: Config,
  { begun, last }: { readonly begun: Config; readonly last: Config },
): Changes {
  const now = flattened(config), first = flattened(begun);
  const isReloadable = (key: string) => RELOADABLE[key]?.(first.get(key), now.get(key)) ?? false;
  return {
    takenOver: changedKeys(flattened(last), now).filter(isReloadable),
    needRestart: changedKeys(first, now).filter((key) => !isReloadable(key)),
  };
}

function changedKeys(
  before: ReadonlyMap<string, unknown>,
  after: ReadonlyMap<string, unknown>,
): string[] {
  return [...new Set([...before.keys(), ...after.keys()])]
    .filter((key) => JSON.stringify(before.get(key)) !== JSON.stringify(after.get(key))).sort();
}

/** The values by keys such as `wake.peers`. */
function flattened(config: Config): Map<string, unknown> {
  const values = new Map<string, unknown>();
  for (const [key, value] of Object.entries(config)) {
    const isSection = (SECTIONS as readonly string[]).includes(key);
    if (!isSection || value === null || typeof value !== "object") values.set(key, value);
    else for (const [inner, each] of Object.entries(value)) values.set(`${key}.${inner}`, each);
  }
  return values;
}

function isList(value: unknown): boolean {
  return Array.isArray(value) && value.length > 0;
}
