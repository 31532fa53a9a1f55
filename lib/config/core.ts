/**
 * The top-level keys of the configuration.
 *
 * @module
 */
import { resolve } from "node:path";
import * as z from "zod/mini";
import { type Duration, DURATION_RULE, parseDuration } from "../base/duration.ts";
import { ConfigError } from "../errors.ts";
import { DEFAULT_URL_SCHEMES } from "../feed_url.ts";
import type { PluginEntry } from "../plugin.ts";
import { isPair, isPlugin } from "../plugins/check_plugin.ts";
import { absoluteStoreUrl, STORE_URL, STORE_URL_RULE } from "./store_url.ts";
import { defined } from "./merge.ts";
import { duration, key, text } from "./rules.ts";
import { defaultServerName, SERVER_NAME } from "./server_name.ts";

/** Range of the delay between listings: short while polls find updates, long while they do not. */
export interface PollConfig {
  /** Shortest delay between listings, at least `"100ms"`. */
  readonly min: Duration;
  /** Longest delay between listings. */
  readonly max: Duration;
}

/** Log level of the command line. */
export type LogLevel = "debug" | "info" | "warn" | "error";

/** The top-level keys of the configuration, outside of the sections. */
export interface CoreConfig {
  /** Location of the schema of this file, for editors; has no other effect. */
  readonly $schema?: string | undefined;
  /**
   * Whether an unknown key is an error or a warning; use `"warn"` to roll out settings before
   * upgrading. @default {"error"}
   */
  readonly unknownKeys?: "error" | "warn" | undefined;
  /** `false`: publish and watch do nothing and log that. @default {true} */
  readonly enabled?: boolean | undefined;
  /** Name of this server, `[a-z0-9][a-z0-9.-]{0,62}`. @default the host name */
  readonly server?: string | undefined;
  /** `s3://bucket/prefix` or `file:path`. @default {"file:.feedsync/store"} */
  readonly store?: string | undefined;
  /**
   * The store's previous URL or endpoint, after its content was moved or its name has changed: a
   * state that belongs to the previous store is then accepted.
   */
  readonly movedFrom?: string | undefined;
  /**
   * Path of the state file. The library's default is `:memory:`: nothing survives the process,
   * updates that were not uploaded are lost, and each process has its own stream in the bucket for
   * two days. The default of the command line is `.feedsync/<server>.db`.
   */
  readonly state?: string | undefined;
  /**
   * Delay between listings of the bucket, at least `"100ms"`; or a range, within which the delay
   * adapts to the activity. @default {"10s"}
   */
  readonly poll?: Duration | PollConfig | undefined;
  /** Where a new state starts to read: the oldest update or the next one. @default {"earliest"} */
  readonly from?: "earliest" | "now" | undefined;
  /** How long the bucket keeps updates, at least `"10m"`; `false`: for ever. @default {"24h"} */
  readonly retention?: Duration | false | undefined;
  /**
   * How often a running watcher tells the others in the bucket that it is there, at least `"1s"`;
   * `false`: never, then it cannot take turns. @default {"5m"}
   */
  readonly presence?: Duration | false | undefined;
  /** Also apply updates that this server published. @default {false} */
  readonly includeOwn?: boolean | undefined;
  /**
   * URL schemes, in lower case, of the feeds that may be published; updates of other servers are
   * applied whatever their scheme. @default {["http", "https"]}
   */
  readonly urlSchemes?: readonly string[] | undefined;
  /** The plugins that receive the updates. @default {["log"]} */
  readonly plugins?: readonly PluginEntry[] | undefined;
  /** Minimum delay between two uploads; a longer one saves requests. @default {0} */
  readonly commitInterval?: Duration | undefined;
  /** How long publishing waits for the store, before it reports `queued`. @default {"30s"} */
  readonly publishTimeout?: Duration | undefined;
  /** How long a plugin may take for one update. @default {"30s"} */
  readonly callbackTimeout?: Duration | undefined;
  /** How long stopping waits for calls and uploads in progress. @default {"10s"} */
  readonly stopTimeout?: Duration | undefined;
  /** Log level of the command line; programs configure their own. @default {"info"} */
  readonly logLevel?: LogLevel | undefined;
}

/** A {@linkcode CoreConfig} with everything filled in; durations are milliseconds. */
export interface ResolvedCore {
  /** Whether unknown keys are errors or warnings. */
  readonly unknownKeys: "error" | "warn";
  /** `false`: publish and watch do nothing. */
  readonly enabled: boolean;
  /** Name of this server. */
  readonly server: string;
  /** `s3://bucket`, `s3://bucket/prefix`, or `file:` and an absolute path; no empty parts. */
  readonly store: string;
  /** The store's previous URL or endpoint. */
  readonly movedFrom: string | undefined;
  /** Absolute path of the state file, or `:memory:`. */
  readonly state: string;
  /** Range of the delay between two listings. */
  readonly poll: { readonly min: number; readonly max: number };
  /** Where a new state starts to read. */
  readonly from: "earliest" | "now";
  /** How long updates are kept; `false`: for ever. */
  readonly retention: number | false;
  /** How often a running watcher says that it is there; `false`: never. */
  readonly presence: number | false;
  /** Also apply updates that this server published. */
  readonly includeOwn: boolean;
  /** URL schemes of the feeds that may be published. */
  readonly urlSchemes: readonly string[];
  /** The plugins that receive the updates. */
  readonly plugins: readonly PluginEntry[];
  /** Minimum delay between two uploads. */
  readonly commitInterval: number;
  /** How long publishing waits for the store. */
  readonly publishTimeout: number;
  /** How long a plugin may take for one update. */
  readonly callbackTimeout: number;
  /** How long stopping waits. */
  readonly stopTimeout: number;
  /** Log level of the command line. */
  readonly logLevel: LogLevel;
}

/** Defaults of these keys. */
export const DEFAULTS = {
  unknownKeys: "error",
  enabled: true,
  store: "file:.feedsync/store",
  state: ":memory:",
  poll: "10s",
  from: "earliest",
  retention: "24h",
  presence: "5m",
  includeOwn: false,
  urlSchemes: DEFAULT_URL_SCHEMES,
  plugins: ["log"],
  commitInterval: 0,
  publishTimeout: "30s",
  callbackTimeout: "30s",
  stopTimeout: "10s",
  logLevel: "info",
} as const satisfies CoreConfig;

const A_HUNDRED_YEARS = "36500d";

const pollRule = z.strictObject({ min: duration({ min: "100ms" }), max: duration() }).check(
  z.refine(({ min, max }) => parseDuration(min) <= parseDuration(max), {
    error: "must have a 'max' that is not less than 'min'",
  }),
);

const plugin = z.union([
  text,
  z.tuple([text, z.optional(z.record(z.string(), z.unknown()))]),
], { error: "must be a plugin, or a pair of a plugin and an object with its options" });

/** A URL scheme of at least two letters: single letters are drives of Windows. */
const urlScheme = z.string().check(
  z.regex(/^[a-z][a-z0-9+.-]+$/, {
    error: 'must be a scheme such as "gemini", in lower case and without colon',
  }),
);

/** The rules of these keys. */
export const coreRules = {
  $schema: key(z.string(), "Where editors find this schema"),
  unknownKeys: key(
    z.enum(["error", "warn"]),
    "Whether an unknown key is an error or a warning; use warn to roll out settings before " +
      "upgrading",
    DEFAULTS.unknownKeys,
  ),
  enabled: key(z.boolean(), "false: publish and watch do nothing", DEFAULTS.enabled),
  server: key(
    z.string().check(z.regex(SERVER_NAME, {
      error: "must be 1 to 63 of a-z, 0-9, '.' and '-', the first a letter or digit",
    })),
    "Name of this server; its host name unless given",
  ),
  store: key(
    z.string().check(z.regex(STORE_URL, { error: STORE_URL_RULE })),
    "URL of the store",
    DEFAULTS.store,
  ),
  movedFrom: key(text, "The store's previous URL or endpoint, after its content was moved"),
  state: key(text, "Path of the state file; .feedsync/<server>.db unless given"),
  poll: key(
    z.union([duration({ min: "100ms" }), pollRule], {
      error: `${DURATION_RULE} of at least "100ms", or {"min", "max"}`,
    }),
    "Delay between listings of the bucket, or its range from min to max",
    DEFAULTS.poll,
  ),
  from: key(z.enum(["earliest", "now"]), "Where a new state starts to read", DEFAULTS.from),
  retention: key(
    z.union([z.literal(false), duration({ min: "10m", max: A_HUNDRED_YEARS })], {
      error: `${DURATION_RULE}, or false`,
    }),
    "How long updates are kept in the bucket; false: for ever",
    DEFAULTS.retention,
  ),
  presence: key(
    z.union([z.literal(false), duration({ min: "1s", max: "1h" })], {
      error: `${DURATION_RULE} from "1s" to "1h", or false`,
    }),
    "How often a running watcher says in the bucket that it is there; false: never",
    DEFAULTS.presence,
  ),
  includeOwn: key(
    z.boolean(),
    "Also apply updates that this server published",
    DEFAULTS.includeOwn,
  ),
  urlSchemes: key(
    z.array(urlScheme).check(z.minLength(1, { error: "must name at least one scheme" })),
    "URL schemes of the feeds that may be published",
    DEFAULTS.urlSchemes,
  ),
  plugins: key(z.array(plugin), "The plugins that receive the updates", DEFAULTS.plugins),
  commitInterval: key(duration(), "Minimum time between two uploads", DEFAULTS.commitInterval),
  publishTimeout: key(
    duration({ min: "1ms" }),
    "How long publishing waits for the store",
    DEFAULTS.publishTimeout,
  ),
  callbackTimeout: key(
    duration({ min: "1ms" }),
    "How long a plugin may take for one update",
    DEFAULTS.callbackTimeout,
  ),
  stopTimeout: key(duration(), "How long stopping waits", DEFAULTS.stopTimeout),
  logLevel: key(
    z.enum(["debug", "info", "warn", "error"]),
    "How much the command line logs",
    DEFAULTS.logLevel,
  ),
};

/** The shortest and the longest time between two listings, in milliseconds. */
export function pollRange(
  poll: Duration | PollConfig = DEFAULTS.poll,
): { min: number; max: number } {
  const { min, max } = typeof poll === "object" ? poll : { min: poll, max: poll };
  return { min: parseDuration(min), max: parseDuration(max) };
}

/** How long updates are kept, in milliseconds; `false`: for ever. */
export function retentionMs(retention: Duration | false = DEFAULTS.retention): number | false {
  return retention === false ? false : parseDuration(retention);
}

/** Delay between presences, in milliseconds; `false`: none are written. */
export function presenceMs(presence: Duration | false = DEFAULTS.presence): number | false {
  return presence === false ? false : parseDuration(presence);
}

/**
 * Checks the keys together, once all sources of the configuration are merged.
 *
 * @throws {ConfigError} when updates would expire between two polls.
 */
export function checkCore({ poll, retention }: CoreConfig): void {
  const kept = retentionMs(retention);
  if (kept === false || pollRange(poll).max <= kept / 2) return;
  throw new ConfigError(
    "Cannot use the configuration: 'poll' must be at most half of 'retention', otherwise updates " +
      "expire before they are found",
  );
}

/** A copy whose paths are absolute. */
export function absoluteCore<C extends CoreConfig>(core: C, directory: string): C {
  const { store, movedFrom, state } = core;
  return {
    ...core,
    ...store !== undefined && { store: absoluteStoreUrl(store, directory) },
    ...movedFrom !== undefined && { movedFrom: absoluteFormerStore(movedFrom, directory) },
    ...state !== undefined && state !== ":memory:" && { state: resolve(directory, state) },
  };
}

/** The absolute previous URL of the store; unlike the current one, it may also be an endpoint. */
function absoluteFormerStore(former: string, directory: string): string {
  return /^(file|s3):/.test(former) ? absoluteStoreUrl(former, directory) : former;
}

/** The configuration with the names of plugins instead of plugin objects, as in a file. */
export function withPluginNames(config: CoreConfig): unknown {
  if (!Array.isArray(config?.plugins)) return config;
  const named = (value: unknown) => isPlugin(value) ? value.name : value;
  const plugins = config.plugins.map((entry) =>
    isPair(entry) && isPlugin(entry[0]) ? [named(entry[0])] : named(entry)
  );
  return { ...config, plugins };
}

/** Fills in the defaults. */
export function resolveCore(config: CoreConfig, directory: string): ResolvedCore {
  const { $schema: _, ...filled } = { ...DEFAULTS, ...defined(config) };
  return {
    ...filled,
    server: filled.server ?? defaultServerName(),
    store: absoluteStoreUrl(filled.store, directory),
    movedFrom: filled.movedFrom,
    poll: pollRange(filled.poll),
    retention: retentionMs(filled.retention),
    presence: presenceMs(filled.presence),
    commitInterval: parseDuration(filled.commitInterval),
    publishTimeout: parseDuration(filled.publishTimeout),
    callbackTimeout: parseDuration(filled.callbackTimeout),
    stopTimeout: parseDuration(filled.stopTimeout),
  };
}
