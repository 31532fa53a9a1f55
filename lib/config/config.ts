/**
 * The configuration, as users write it.
 *
 * @module
 */
import type { EncryptionConfig } from "./encryption.ts";
import type { PluginUse } from "../plugin.ts";
import type { S3Config } from "./s3_config.ts";

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
  readonly directory?: string | undefined;
  /** How long a file must have been still before it is read. @default {"200ms"} */
  readonly settle?: Duration | undefined;
  /** How often the directory is searched for changes that went unnoticed. @default {"1m"} */
  readonly rescan?: Duration | undefined;
  /** Deleting a file publishes that the feed is gone; not when many are gone at once. @default {false} */
  readonly publishRemovals?: boolean | undefined;
}

/**
 * A plugin, by the name of a built-in one, a path relative to the configuration file, or an `npm:`,
 * `jsr:`, `https:` or `file:` specifier; with options as a pair. In a program also the plugin itself.
 */
export type PluginEntry<Input = unknown> =
  | string
  | readonly [plugin: string, options?: Readonly<Record<string, unknown>> | undefined]
  | PluginUse<Input>;

/** Several plugins, each with options that it takes as far as that is known before it is loaded. */
export type PluginEntries<Inputs extends readonly unknown[] = readonly unknown[]> = {
  readonly [Index in keyof Inputs]: PluginEntry<Inputs[Index]>;
};

/** What the configuration file holds and `connect()` takes. Everything is optional. */
export interface Config {
  /** Where editors find the schema of this file; has no other effect. */
  readonly $schema?: string | undefined;
  /** `false`: publish and watch do nothing and say so. @default {true} */
  readonly enabled?: boolean | undefined;
  /** Name of this server, `[a-z0-9][a-z0-9.-]{0,62}`. @default the host name */
  readonly server?: string | undefined;
  /** `s3://bucket/prefix` or `file:path`. @default {"file:.feedsync/store"} */
  readonly store?: string | undefined;
  /**
   * The store's URL or endpoint before, when everything in it was moved to where it is now, or is
   * reached by another name: a state that belongs to that is taken over.
   */
  readonly movedFrom?: string | undefined;
  /** How to reach an S3-compatible store. */
  readonly s3?: S3Config | undefined;
  /**
   * Path of the state file. `:memory:` is the library's default: nothing survives the process, what it
   * could not upload is lost, and each process is a stream of its own in the bucket for two days. The command line's default is
   * `.feedsync/<server>.db`.
   */
  readonly state?: string | undefined;
  /**
   * How often the bucket is listed, at least `"100ms"`; or the range in which that adapts to how much
   * happens. @default {"10s"}
   */
  readonly poll?: Duration | PollConfig | undefined;
  /** Where a new state starts to read: at the oldest update or with the next. @default {"earliest"} */
  readonly from?: "earliest" | "now" | undefined;
  /** How long updates are kept in the bucket, at least `"10m"`; `false`: for ever. @default {"24h"} */
  readonly retention?: Duration | false | undefined;
  /**
   * Where peers send their commits to, and others events that wake up, `"0.0.0.0:7070"`: updates are
   * applied at once, and polling is left to find what was missed. Needs `secret` or `wakeToken`.
   */
  readonly listen?: string | undefined;
  /** URLs of the servers that every commit is sent to once it is stored. Needs `secret`. */
  readonly peers?: readonly string[] | undefined;
  /**
   * What peers sign with and are known by, the same on all: `whsec_` and base64, as from
   * `echo "whsec_$(openssl rand -base64 32)"`. Better kept in the environment than in a file.
   */
  readonly secret?: string | undefined;
  /**
   * What events of the bucket must bear that S3, MinIO or Ceph POST to `/wake` at `listen`: as
   * `?token=` or `Authorization: Bearer`. At least 16 characters.
   */
  readonly wakeToken?: string | undefined;
  /** Queues that the events of the bucket go to. @default {[]} */
  readonly wake?: readonly WakeConfig[] | undefined;
  /**
   * Publishers change one small object after each commit, and the tail is only listed when it has
   * changed, or after five minutes: cheaper where listings cost money and little happens. On all
   * servers, or on none. @default {false}
   */
  readonly marker?: boolean | undefined;
  /** Encrypt what is kept in the bucket. @default no encryption */
  readonly encryption?: EncryptionConfig | undefined;
  /** Apply what this server published, too. @default {false} */
  readonly includeOwn?: boolean | undefined;
  /** Publish the `.feed` files of a directory. */
  readonly files?: FilesConfig | undefined;
  /**
   * Schemes that URLs of feeds may have when they are published, in lower case; what other servers
   * publish is applied whatever the scheme. @default {["http", "https"]}
   */
  readonly urlSchemes?: readonly string[] | undefined;
  /** What is done with updates. @default {["log"]} */
  readonly plugins?: readonly PluginEntry[] | undefined;
  /** Least time between two uploads; a longer one saves requests. @default {0} */
  readonly commitInterval?: Duration | undefined;
  /** How long publishing waits for the store until the update counts as queued. @default {"30s"} */
  readonly publishTimeout?: Duration | undefined;
  /** How long a plugin may take for one update. @default {"30s"} */
  readonly callbackTimeout?: Duration | undefined;
  /** How long stopping waits for what is under way. @default {"10s"} */
  readonly stopTimeout?: Duration | undefined;
  /** How much the command line logs; the library leaves that to the program. @default {"info"} */
  readonly logLevel?: LogLevel | undefined;
}
