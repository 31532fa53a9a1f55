/**
 * One poll, for `--once`.
 *
 * @module
 */
import { ConfigError } from "../errors.ts";
import type { Watcher } from "../watch.ts";

/**
 * Polls, and resolves when all that is there is applied.
 *
 * @throws {ConfigError} when keys are missing for some of it; all else is applied.
 */
export async function pollOnce(watcher: Watcher): Promise<void> {
  const { missingKeys } = await watcher.poll();
  if (missingKeys.length === 0) return;
  const kids = missingKeys.map((kid) => JSON.stringify(kid.slice(0, 128))).join(", ");
  throw new ConfigError(`Cannot read all that is there, keys are missing: ${kids}`);
}
