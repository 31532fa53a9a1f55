/**
 * The section `files`: a directory whose feed files are published.
 *
 * @module
 */
import { resolve } from "node:path";
import * as z from "zod/mini";
import { type Duration, parseDuration } from "../base/duration.ts";
import { duration, key, missing, text } from "./rules.ts";

/** A directory whose `.feed` files are published when they change. */
export interface FilesConfig {
  /** The directory. */
  readonly directory?: string | undefined;
  /** How long a file must be unchanged before it is read. @default {"200ms"} */
  readonly settle?: Duration | undefined;
  /** How often the directory is scanned for changes that no event reported. @default {"1m"} */
  readonly rescan?: Duration | undefined;
  /** Whether deleting a file publishes a removal; not if many are gone at once. @default {false} */
  readonly publishRemovals?: boolean | undefined;
}

/** A {@linkcode FilesConfig} with everything filled in; durations are milliseconds. */
export interface ResolvedFiles {
  /** Absolute path of the directory. */
  readonly directory: string;
  /** How long a file must be unchanged before it is read. */
  readonly settle: number;
  /** How often the directory is scanned. */
  readonly rescan: number;
  /** Whether deleting a file publishes a removal. */
  readonly publishRemovals: boolean;
}

/** Defaults of the keys in `files`. */
export const FILES_DEFAULTS = {
  settle: "200ms",
  rescan: "1m",
  publishRemovals: false,
} as const satisfies FilesConfig;

/** The rules of `files`. */
export const filesRule = z.strictObject({
  directory: key(text, "Directory whose .feed files are published when they change"),
  settle: key(duration(), "How long a file must be unchanged", FILES_DEFAULTS.settle),
  rescan: key(
    duration({ min: "100ms" }),
    "How often to scan for changes that no event reported",
    FILES_DEFAULTS.rescan,
  ),
  publishRemovals: key(
    z.boolean(),
    "Deleting a file publishes a removal; not if many files are gone at once",
    FILES_DEFAULTS.publishRemovals,
  ),
});

/**
 * Checks the keys together, once all sources of the configuration are merged.
 *
 * @throws {ConfigError} when a required key is missing.
 */
export function checkFiles({ directory }: FilesConfig): void {
  if (directory === undefined) {
    throw missing("files.directory", "the other keys of 'files' require it");
  }
}

/** A copy whose paths are absolute. */
export function absoluteFiles({ directory, ...rest }: FilesConfig, base: string): FilesConfig {
  return directory === undefined ? rest : { ...rest, directory: resolve(base, directory) };
}

/**
 * Fills in the defaults; `undefined` when no directory is given. A relative one starts from `base`.
 */
export function resolveFiles(
  files: FilesConfig | undefined,
  base: string,
): ResolvedFiles | undefined {
  if (files?.directory === undefined) return undefined;
  return {
    directory: resolve(base, files.directory),
    settle: parseDuration(files.settle ?? FILES_DEFAULTS.settle),
    rescan: parseDuration(files.rescan ?? FILES_DEFAULTS.rescan),
    publishRemovals: files.publishRemovals ?? FILES_DEFAULTS.publishRemovals,
  };
}
