/**
 * Resolves the configuration: fills in defaults and makes paths absolute.
 *
 * @module
 */
import { getLogger } from "@logtape/logtape";
import { resolve } from "node:path";
import { absoluteApi, resolveApi, type ResolvedApi } from "./api.ts";
import { checkComplete, checkConfig } from "./check.ts";
import type { Config } from "./config.ts";
import { absoluteCore, resolveCore, type ResolvedCore, withPluginNames } from "./core.ts";
import { absoluteEncryption, type ResolvedEncryption, resolveEncryption } from "./encryption.ts";
import { absoluteFiles, type ResolvedFiles, resolveFiles } from "./files.ts";
import { absoluteS3, resolveS3, type S3Config } from "./s3.ts";
import { type ResolvedTurns, resolveTurns } from "./turns.ts";
import { type ResolvedWake, resolveWake } from "./wake.ts";

/** A {@linkcode Config} with everything filled in; durations are milliseconds. */
export interface ResolvedConfig extends ResolvedCore {
  /** Absolute path of the directory from which relative paths start. */
  readonly directory: string;
  /** How to reach an S3-compatible store. */
  readonly s3: S3Config;
  /** Encryption of objects, if any. */
  readonly encryption: ResolvedEncryption | undefined;
  /** The directory of feed files, if any. */
  readonly files: ResolvedFiles | undefined;
  /** The local HTTP API, if any. */
  readonly api: ResolvedApi | undefined;
  /** How this server takes turns with others. */
  readonly turns: ResolvedTurns;
  /** Sources that announce updates before the next poll. */
  readonly wake: ResolvedWake;
}

const logger = getLogger(["feedsync", "config"]);

/**
 * Checks a configuration and fills in the defaults. Relative paths start from `options.directory`,
 * by default the working directory.
 *
 * @throws {ConfigError} when the configuration is invalid.
 */
export function resolveConfig(
  config: Config,
  options: { readonly directory?: string } = {},
): ResolvedConfig {
  const { config: checked, warnings } = checkConfig(withPluginNames(config));
  for (const warning of warnings) logger.warn("{warning}", { warning });
  const known = { ...checked, plugins: config.plugins };
  checkComplete(known);
  const directory = resolve(options.directory ?? ".");
  const { s3, encryption, files, api, turns, wake, ...core } = withAbsolutePaths(known, directory);
  const resolved = resolveCore(core, directory);
  return {
    ...resolved,
    directory,
    s3: resolveS3(s3, resolved.server),
    encryption: resolveEncryption(encryption),
    files: resolveFiles(files, directory),
    api: resolveApi(api),
    turns: resolveTurns(turns),
    wake: resolveWake(wake),
  };
}

/** A copy with absolute paths, resolved from `directory`. */
export function withAbsolutePaths(config: Config, directory: string): Config {
  const { s3, encryption, files, api } = config;
  return {
    ...absoluteCore(config, directory),
    ...s3 && { s3: absoluteS3(s3, directory) },
    ...encryption && { encryption: absoluteEncryption(encryption, directory) },
    ...files && { files: absoluteFiles(files, directory) },
    ...api && { api: absoluteApi(api, directory) },
  };
}
