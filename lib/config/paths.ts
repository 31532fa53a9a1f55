/**
 * Relative paths in the configuration.
 *
 * @module
 */
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import type { Config } from "./config.ts";
import type { S3Config } from "./s3_config.ts";

/** A copy in which no path depends on the directory it was written for. */
export function withAbsolutePaths(config: Config, directory: string): Config {
  const { store, movedFrom, state, s3, files, encryption } = config;
  return {
    ...config,
    ...store !== undefined && { store: absoluteStore(store, directory) },
    ...movedFrom !== undefined && { movedFrom: absoluteFormerStore(movedFrom, directory) },
    ...state !== undefined && { state: absoluteState(state, directory) },
    ...s3 && { s3: absoluteS3(s3, directory) },
    ...files?.directory !== undefined &&
      { files: { ...files, directory: resolve(directory, files.directory) } },
    ...encryption?.keys !== undefined &&
      { encryption: { ...encryption, keys: resolve(directory, encryption.keys) } },
  };
}

/** A store's URL as it is compared and shown: paths absolute, no empty parts in prefixes. */
export function absoluteStore(store: string, directory: string): string {
  if (store.startsWith("file://")) return `file:${fileURLToPath(store)}`;
  if (store.startsWith("file:")) return `file:${resolve(directory, store.slice("file:".length))}`;
  return store.replace(/(?<!^s3:\/?)\/+(?=\/|$)/g, "");
}

/** The same for what a store was called before, which may also be an endpoint. */
export function absoluteFormerStore(former: string, directory: string): string {
  return /^(file|s3):/.test(former) ? absoluteStore(former, directory) : former;
}

/** The `s3` keys with absolute paths. */
export function absoluteS3(s3: S3Config, directory: string): S3Config {
  const { credentialsFile } = s3;
  if (credentialsFile === undefined) return s3;
  return { ...s3, credentialsFile: resolve(directory, credentialsFile) };
}

/** Absolute path of a state file; `:memory:` as it is. */
export function absoluteState(state: string, directory: string): string {
  return state === ":memory:" ? state : resolve(directory, state);
}
