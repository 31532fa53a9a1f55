/**
 * The section `wake`: sources that announce updates before the next poll. All of them are hints;
 * the next poll finds updates that they missed.
 *
 * @module
 */
import * as z from "zod/mini";
import { advertisedOrigin } from "../base/advertised_origin.ts";
import { ConfigError } from "../errors.ts";
import type { CoreConfig } from "./core.ts";
import { defined } from "./merge.ts";
import { isEndpoint, key, missing, text } from "./rules.ts";

/** A queue that receives the events of the bucket. */
export interface WakeQueueConfig {
  /**
   * URL of an SQS queue that no other server reads; S3 sends its events there, directly or by SNS.
   */
  readonly sqs: string;
}

/** Sources that announce updates before the next poll. */
export interface WakeConfig {
  /**
   * Address and port, `"0.0.0.0:7070"`, that receives commits from peers and events from the
   * service. Requires `secret` or `token`.
   */
  readonly listen?: string | undefined;
  /**
   * URLs of the servers that every stored commit is sent to; or `"auto"`: those that the bucket
   * shows to be present and that have `advertise`. Requires `secret`. @default {[]}
   */
  readonly peers?: "auto" | readonly string[] | undefined;
  /**
   * Origin at which others reach `listen`, such as `http://web-1.example.com:7070`, for servers
   * whose `peers` are `"auto"`. Requires `listen` and `secret`.
   */
  readonly advertise?: string | undefined;
  /**
   * Shared secret that authenticates peers, the same on all: `whsec_` and base64, as from
   * `echo "whsec_$(openssl rand -base64 32)"`. Prefer the environment to a file.
   */
  readonly secret?: string | undefined;
  /**
   * Token that S3, MinIO or Ceph must send with the bucket's events to `/wake` at `listen`, as
   * `?token=` or `Authorization: Bearer`. At least 16 characters.
   */
  readonly token?: string | undefined;
  /** Queues that receive the events of the bucket. @default {[]} */
  readonly queues?: readonly WakeQueueConfig[] | undefined;
  /**
   * Publishers overwrite one small object after each commit, and the tail is listed only when that
   * object has changed, or after five minutes. This is cheaper if listings cost money and updates
   * are rare. Set it on all servers or on none. @default {false}
   */
  readonly marker?: boolean | undefined;
}

/** A {@linkcode WakeConfig} with everything filled in. */
export interface ResolvedWake {
  /** Address and port that receives commits from peers and events. */
  readonly listen: string | undefined;
  /** The servers that every commit is sent to; `"auto"`: those that are present. */
  readonly peers: "auto" | readonly string[];
  /** Origin at which others reach `listen`. */
  readonly advertise: string | undefined;
  /** Shared secret that authenticates peers. */
  readonly secret: string | undefined;
  /** Token that the bucket's events must carry. */
  readonly token: string | undefined;
  /** Queues that receive the events of the bucket. */
  readonly queues: readonly WakeQueueConfig[];
  /** Whether to read the marker before listing the tail. */
  readonly marker: boolean;
}

/** Defaults of the keys in `wake`. */
export const WAKE_DEFAULTS = {
  peers: [],
  queues: [],
  marker: false,
} as const satisfies WakeConfig;

/**
 * Keys whose values must not appear in messages; a text in place of the section may be a secret,
 * too.
 */
export const WAKE_SECRETS = ["wake", "secret", "token"] as const;

/** Host names, IPv4 addresses, and IPv6 ones in brackets. */
const LISTEN = /^(\[[0-9a-fA-F:.]+\]|[a-zA-Z0-9.-]+):\d{1,5}$/;

const peer = text.check(
  z.refine((value) => isEndpoint(value) && !/[?#]/.test(value), {
    error: "must be an http:// or https:// URL without credentials, query and fragment",
  }),
);

/** Minimum length of a secret in Standard Webhooks. */
const MIN_SECRET_BYTES = 24;

function isSecret(value: string): boolean {
  const base64 = /^whsec_(\S+)$/.exec(value)?.[1];
  try {
    return base64 !== undefined &&
      Uint8Array.fromBase64(base64, { lastChunkHandling: "strict" }).length >= MIN_SECRET_BYTES;
  } catch {
    return false;
  }
}

/** The rules of an entry of `wake.queues`. */
export const wakeQueueRule = z.strictObject({
  sqs: text.check(
    z.refine(isEndpoint, { error: "must be the URL of a queue" }),
    z.describe("URL of an SQS queue"),
  ),
});

/** The rules of `wake`. */
export const wakeRule = z.strictObject({
  listen: key(
    z.string().check(
      z.regex(LISTEN, { error: 'must be an address and port such as "0.0.0.0:7070"' }),
    ),
    "Address and port that receives commits from peers and events from the service",
  ),
  peers: key(
    z.union([z.literal("auto"), z.array(peer)], {
      error: 'must be "auto", or in the configuration file a list of URLs',
    }),
    'URLs of the servers that every stored commit is sent to; "auto": those that are present',
    WAKE_DEFAULTS.peers,
  ),
  advertise: key(
    z.string().check(z.refine((value) => advertisedOrigin(value) !== undefined, {
      error: 'must be an origin such as "http://web-1.example.com:7070", and no link-local address',
    })),
    "Origin at which servers whose peers are \"auto\" reach 'listen'",
  ),
  secret: key(
    z.string().check(
      z.refine(isSecret, { error: 'must be "whsec_" and base64 of at least 24 bytes' }),
    ),
    "Shared secret that authenticates peers; prefer the environment to this file",
  ),
  token: key(
    z.string().check(z.minLength(16, { error: "must have at least 16 characters" })),
    "Token that the bucket's events must carry; prefer the environment to this file",
  ),
  queues: key(
    z.array(wakeQueueRule),
    "Queues, read only by this server, that receive the events of the bucket",
    WAKE_DEFAULTS.queues,
  ),
  marker: key(
    z.boolean(),
    "List only when publishers have overwritten a small object; set it on all servers or on none",
    WAKE_DEFAULTS.marker,
  ),
}, {
  error: ({ code, input }) =>
    code === "invalid_type" && Array.isArray(input)
      ? "must be an object; queues are listed in 'wake.queues'"
      : undefined,
});

/**
 * Checks the keys together, and with `presence`, once all sources of the configuration are merged.
 *
 * @throws {ConfigError} when a required key is missing, or keys contradict each other.
 */
export function checkWake(
  { listen, peers = [], advertise, secret, token }: WakeConfig,
  presence?: CoreConfig["presence"],
): void {
  if (presence === false && (peers === "auto" || advertise !== undefined)) {
    const used = peers === "auto" ? "wake.peers" : "wake.advertise";
    throw new ConfigError(
      `Cannot use the configuration: '${used}' requires 'presence': without it, this server neither ` +
        "tells others where it is, nor looks where they are",
    );
  }
  if (peers.length > 0 && secret === undefined) {
    throw missing("wake.secret", "'wake.peers' requires it: the same on all servers");
  }
  if (listen !== undefined && secret === undefined && token === undefined) {
    throw missing(
      "wake.secret",
      "'wake.listen' requires it for peers, or 'wake.token' for the bucket's events",
    );
  }
  if (advertise === undefined) return;
  if (listen === undefined) throw missing("wake.listen", "'wake.advertise' requires it");
  if (secret === undefined) {
    throw missing("wake.secret", "'wake.advertise' requires it: the same on all servers");
  }
}

/** Fills in the defaults. */
export function resolveWake({ advertise, ...wake }: WakeConfig = {}): ResolvedWake {
  const none = { listen: undefined, secret: undefined, token: undefined };
  const origin = advertise === undefined ? undefined : advertisedOrigin(advertise);
  return { ...none, ...WAKE_DEFAULTS, ...defined(wake), advertise: origin };
}
