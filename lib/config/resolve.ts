/**
 * What the configuration means, with everything filled in.
 *
 * @module
 */
import { resolve } from "node:path";
import { isPair, isPlugin } from "../plugins/check_plugin.ts";
import { parseDuration } from "../base/duration.ts";
import { checkComplete, checkConfig } from "./check.ts";
import type { Config, FilesConfig, LogLevel, PluginEntry, WakeConfig } from "./config.ts";
import { DEFAULTS, FILES_DEFAULTS } from "./defaults.ts";
import { type ResolvedEncryption, resolveEncryption } from "./encryption.ts";
import { defined } from "./merge.ts";
import { absoluteFormerStore, absoluteState, absoluteStore } from "./paths.ts";
import { pollRange } from "./poll_range.ts";
import { resolveS3 } from "./resolve_s3.ts";
import type { S3Config } from "./s3_config.ts";
import { defaultServerName } from "./server_name.ts";

/** A {@linkcode FilesConfig} with everything filled in; durations are milliseconds. */
export interface ResolvedFiles {
  /** Absolute path of the directory. */
  readonly directory: string;
  /** How long a file must have been still before it is read. */
  readonly settle: number;
  /** How often the directory is searched. */
  readonly rescan: number;
  /** Deleting a file publishes that the feed is gone. */
  readonly publishRemovals: boolean;
}

/** A {@linkcode Config} with everything filled in; durations are milliseconds. */
export interface ResolvedConfig {
  /** Absolute path that relative paths start from. */
  readonly directory: string;
  /** `false`: publish and watch do nothing. */
  readonly enabled: boolean;
  /** Name of this server. */
  readonly server: string;
  /** `s3://bucket`, `s3://bucket/prefix`, or `file:` and an absolute path; no empty parts. */
  readonly store: string;
  /** What the store's URL or endpoint was before. */
  readonly movedFrom: string | undefined;
  /** How to reach an S3-compatible store. */
  readonly s3: S3Config;
  /** Absolute path of the state file, or `:memory:`. */
  readonly state: string;
  /** Time between two listings. */
  readonly poll: { readonly min: number; readonly max: number };
  /** Where a new state starts to read. */
  readonly from: "earliest" | "now";
  /** How long updates are kept; `false`: for ever. */
  readonly retention: number | false;
  /** Where peers send their commits to. */
  readonly listen: string | undefined;
  /** The servers that every commit is sent to. */
  readonly peers: readonly string[];
  /** What peers sign with. */
  readonly secret: string | undefined;
  /** What events of the bucket must bear. */
  readonly wakeToken: string | undefined;
  /** Queues that the events of the bucket go to. */
  readonly wake: readonly WakeConfig[];
  /** Look at a small object that changes with each commit before the tail is listed. */
  readonly marker: boolean;
  /** How objects are encrypted, if they are. */
  readonly encryption: ResolvedEncryption | undefined;
  /** Apply what this server published, too. */
  readonly includeOwn: boolean;
  /** The directory of feed files, if any. */
  readonly files: ResolvedFiles | undefined;
  /** Schemes of the URLs that can be published. */
  readonly urlSchemes: readonly string[];
  /** What is done with updates. */
  readonly plugins: readonly PluginEntry[];
  /** Least time between two uploads. */
  readonly commitInterval: number;
  /** How long publishing waits for the store. */
  readonly publishTimeout: number;
  /** How long a plugin may take for one update. */
  readonly callbackTimeout: number;
  /** How long stopping waits. */
  readonly stopTimeout: number;
  /** How much the command line logs. */
  readonly logLevel: LogLevel;
}

/**
 * Checks a configuration and fills in what it leaves out. Relative paths start from
 * `options.directory`, the working directory unless given.
 *
 * @throws {ConfigError} when anything in it is wrong.
 */
export function resolveConfig(
  config: Config,
  options: { readonly directory?: string } = {},
): ResolvedConfig {
  checkConfig(withNames(config));
  checkComplete(config);
  const directory = resolve(options.directory ?? ".");
  const { $schema: _, ...given } = config;
  const filled = { ...DEFAULTS, ...defined(given) };
  const server = filled.server ?? defaultServerName();
  return {
    ...filled,
    directory,
    server,
    store: absoluteStore(filled.store, directory),
    movedFrom: filled.movedFrom && absoluteFormerStore(filled.movedFrom, directory),
    s3: resolveS3(filled.s3 ?? {}, { directory, server }),
    state: absoluteState(filled.state, directory),
    files: resolveFiles(filled.files, directory),
    encryption: resolveEncryption(filled.encryption, directory),
    listen: filled.listen,
    secret: filled.secret,
    wakeToken: filled.wakeToken,
    poll: pollRange(filled.poll),
    retention: filled.retention === false ? false : parseDuration(filled.retention),
    commitInterval: parseDuration(filled.commitInterval),
    publishTimeout: parseDuration(filled.publishTimeout),
    callbackTimeout: parseDuration(filled.callbackTimeout),
    stopTimeout: parseDuration(filled.stopTimeout),
  };
}

/** The configuration as a file has it: with the names of plugins in the places of the plugins. */
function withNames(config: Config): unknown {
  if (!Array.isArray(config?.plugins)) return config;
  const named = (value: unknown) => isPlugin(value) ? value.name : value;
  const plugins = config.plugins.map((entry) =>
    isPair(entry) && isPlugin(entry[0]) ? [named(entry[0])] : named(entry)
  );
  return { ...config, plugins };
}

/** Fills in what is said about feed files; `undefined` when no directory is given. */
export function resolveFiles(
  files: FilesConfig | undefined,
  directory: string,
): ResolvedFiles | undefined {
  if (files?.directory === undefined) return undefined;
  return {
    directory: resolve(directory, files.directory),
    settle: parseDuration(files.settle ?? FILES_DEFAULTS.settle),
    rescan: parseDuration(files.rescan ?? FILES_DEFAULTS.rescan),
    publishRemovals: files.publishRemovals ?? FILES_DEFAULTS.publishRemovals,
  };
}
