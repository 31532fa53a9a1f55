/**
 * One poll, for `--once`.
 *
 * @module
 */
import { sleep, systemEnvironment } from "../base/environment.ts";
import {
  AccessDeniedError,
  ConfigError,
  MissingKeyError,
  MissingObjectError,
  StoreUnavailableError,
  UnsupportedFormatError,
} from "../errors.ts";
import type { Watcher } from "../reading/watcher.ts";
import { BadInputError } from "./exit.ts";

/** A refusal is looked at again after this time: a proxy may be starting, or a new key not known yet. */
const SECOND_LOOK_MS = 3_000;

/** Messages name no more objects, keys or files. */
const MAX_NAMED = 20;

/**
 * Polls, and resolves when everything is applied.
 *
 * @throws {UnsupportedFormatError | ConfigError | BadInputError | StoreUnavailableError} when some of it
 * needs a newer version, or keys that are missing, objects are damaged, or the store does not hand out what it lists; all else is applied.
 */
export async function pollOnce(watcher: Watcher, signal: AbortSignal): Promise<void> {
  const { unreadable } = await watcher.poll().catch(async (error) => {
    if (!(error instanceof AccessDeniedError) && !(error instanceof ConfigError)) throw error;
    await sleep(systemEnvironment.clock, SECOND_LOOK_MS, signal).catch(() => {});
    if (signal.aborted) throw error;
    return await watcher.poll();
  });
  const unsupported = unreadable.find((error) => error instanceof UnsupportedFormatError);
  if (unsupported) throw unsupported;
  const kids = new Set<string>(), damaged: string[] = [], missing: string[] = [];
  for (const error of unreadable) {
    if (error instanceof MissingKeyError) kids.add(JSON.stringify(error.kid.slice(0, 128)));
    else if (error instanceof MissingObjectError) missing.push(error.key);
    else damaged.push(error.key);
  }
  if (kids.size > 0) {
    throw new ConfigError(`Cannot read everything, keys are missing: ${named([...kids])}`);
  }
  if (damaged.length > 0) {
    throw new BadInputError(
      `Cannot read everything, damaged objects hold up what comes after them: ${named(damaged)}`,
    );
  }
  if (missing.length === 0) return;
  throw new StoreUnavailableError(
    "Cannot read everything, the store lists objects that it then does not find; try again " +
      `later: ${named(missing)}`,
  );
}

/** The first of many names. */
export function named(names: readonly string[]): string {
  const more = names.length > MAX_NAMED ? ` and ${names.length - MAX_NAMED} more` : "";
  return names.slice(0, MAX_NAMED).join(", ") + more;
}
