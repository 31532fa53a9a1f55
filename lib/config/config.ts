/**
 * The configuration: what users write, and what it means with everything filled in.
 *
 * @module
 */
import { resolve } from "node:path";
import { parseDuration } from "../duration.ts";
import { checkComplete, checkConfig } from "./check.ts";
import { DEFAULTS, FILES_DEFAULTS } from "./defaults.ts";
import { type EncryptionConfig, type ResolvedEncryption, resolveEncryption } from "./encryption.ts";
import { defined } from "./merge.ts";
import { absoluteState, absoluteStore } from "./paths.ts";
import { resolveS3 } from "./resolve_s3.ts";
import type { S3Config } from "./s3_config.ts";
import { defaultServerName } from "./server_name.ts";

/** A duration: `"200ms"`, `"10s"`, `"1m"`, `"24h"`, `"7d"`, or a number of milliseconds. */
export type Duration = string | number;

/** How quick polls are while they find something, and how slow while they do not. */
export interface PollConfig {
  /** The shortest time from one listing to the next, at least `"100ms"`. */
  readonly min: Duration;
  /** The longest. */
  readonly max: Duration;
}

/** Where events of the bucket come from that tell of updates as soon as they are stored. */
export interface WakeConfig {
  /** URL of a queue of SQS that nobody else reads; S3 sends its events there, or SNS does. */
  readonly sqs: string;
}

/** How much the command line logs. */
export type LogLevel = "debug" | "info" | "warn" | "error";

/** A directory whose `.feed` files are published when they change. */
export interface FilesConfig {
  /** The directory. */
  readonly directory?: string;
  /** How long a file must have been still before it is read. @default {"200ms"} */
  readonly settle?: Duration;
  /** How often the directory is searched for changes that went unnoticed. @default {"1m"} */
  readonly rescan?: Duration;
  /** Deleting a file publishes that the feed is gone. @default {false} */
  readonly publishRemovals?: boolean;
}

/**
 * A plugin, by the name of a built-in one, a path relative to the configuration file, or an `npm:`,
 * `jsr:`, `https:` or `file:` specifier; with options as a pair.
 */
export type PluginEntry =
  | string
  | readonly [plugin: string, options?: Readonly<Record<string, unknown>>];

/** What the configuration file holds and `connect()` takes. Everything is optional. */
export interface Config {
  /** Where editors find the schema of this file; has no other effect. */
  readonly $schema?: string;
  /** `false`: publish and watch do nothing and say so. @default {true} */
  readonly enabled?: boolean;
  /** Name of this server, `[a-z0-9][a-z0-9.-]{0,62}`. @default the host name */
  readonly server?: string;
  /** `s3://bucket/prefix` or `file:path`. @default {"file:.feedsync/store"} */
  readonly store?: string;
  /** How to reach an S3-compatible store. */
  readonly s3?: S3Config;
  /**
   * Path of the state file. `:memory:` is the library's default: nothing survives a crash, and each
   * process is a stream of its own in the bucket for two days. The command line's default is
   * `.feedsync/<server>.db`.
   */
  readonly state?: string;
  /**
   * How often the bucket is listed, at least `"100ms"`; or the range in which that adapts to how much
   * happens. @default {"10s"}
   */
  readonly poll?: Duration | PollConfig;
  /** Where a new state starts to read: at the oldest update or with the next. @default {"earliest"} */
  readonly from?: "earliest" | "now";
  /** How long updates are kept in the bucket, at least `"10m"`; `false`: for ever. @default {"24h"} */
  readonly retention?: Duration | false;
  /**
   * Where peers send their commits to, and others events that wake up, `"0.0.0.0:7070"`: updates are
   * applied at once, and polling is left to find what was missed. Needs `secret` or `wakeToken`.
   */
  readonly listen?: string;
  /** URLs of the servers that every commit is sent to once it is stored. Needs `secret`. */
  readonly peers?: readonly string[];
  /**
   * What peers sign with and are known by, the same on all: `whsec_` and base64, as from
   * `echo "whsec_$(openssl rand -base64 32)"`. Better kept in the environment than in a file.
   */
  readonly secret?: string;
  /**
   * What events of the bucket must bear that S3, MinIO or Ceph POST to `/wake` at `listen`: as
   * `?token=` or `Authorization: Bearer`. At least 16 characters.
   */
  readonly wakeToken?: string;
  /** Queues that the events of the bucket go to. @default {[]} */
  readonly wake?: readonly WakeConfig[];
  /**
   * Publishers change one small object after each commit, and the tail is only listed when it has
   * changed, or after five minutes: cheaper where listings cost money and little happens. On all
   * servers, or on none. @default {false}
   */
  readonly marker?: boolean;
  /** Encrypt what is kept in the bucket. @default no encryption */
  readonly encryption?: EncryptionConfig;
  /** Apply what this server published, too. @default {false} */
  readonly includeOwn?: boolean;
  /** Publish the `.feed` files of a directory. */
  readonly files?: FilesConfig;
  /** What is done with updates. @default {["log"]} */
  readonly plugins?: readonly PluginEntry[];
  /** Least time between two uploads; a longer one saves requests. @default {0} */
  readonly commitInterval?: Duration;
  /** How long publishing waits for the store until the update counts as queued. @default {"30s"} */
  readonly publishTimeout?: Duration;
  /** How long a plugin may take for one update. @default {"30s"} */
  readonly callbackTimeout?: Duration;
  /** How long stopping waits for what is under way. @default {"10s"} */
  readonly stopTimeout?: Duration;
  /** How much the command line logs; the library leaves that to the program. @default {"info"} */
  readonly logLevel?: LogLevel;
}

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
  checkConfig(config);
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

/** A single duration is both ends of the range. */
export function pollRange(poll: Duration | PollConfig): { min: number; max: number } {
  const { min, max } = typeof poll === "object" ? poll : { min: poll, max: poll };
  return { min: parseDuration(min), max: parseDuration(max) };
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
