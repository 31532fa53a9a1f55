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

/**
 * Delay before a second attempt after a refusal: a proxy may be starting, or a new key not known
 * yet.
 */
const SECOND_LOOK_MS = 3_000;

/** Maximum number of objects, keys or files named in a message. */
const MAX_NAMED = 20;

/**
 * Polls, and resolves to the number of gaps when everything else is applied.
 *
 * @throws {UnsupportedFormatError | ConfigError | BadInputError | StoreUnavailableError} when
 * objects need a newer version or missing keys, are damaged, or are listed but not found; all other
 * updates are applied.
 */
export async function pollOnce(watcher: Watcher, signal: AbortSignal): Promise<number> {
  const { unreadable, gaps } = await watcher.poll().catch(async (error) => {
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
      `Cannot read everything, damaged objects hold up everything after them: ${named(damaged)}`,
    );
  }
  if (missing.length === 0) return gaps;
  throw new StoreUnavailableError(
    "Cannot read everything, the store lists objects but does not find them; try again " +
      `later: ${named(missing)}`,
  );
}

/** Joins names for a message, at most the first {@linkcode MAX_NAMED}. */
export function named(names: readonly string[]): string {
  const more = names.length > MAX_NAMED ? ` and ${names.length - MAX_NAMED} more` : "";
  return names.slice(0, MAX_NAMED).join(", ") + more;
}
