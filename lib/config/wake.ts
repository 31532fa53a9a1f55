/**
 * The section `wake`: what tells a server of updates before its next poll. All of it is a hint; the
 * next poll picks up anything missed.
 *
 * @module
 */
import { z } from "zod";
import { defined } from "./merge.ts";
import { isEndpoint, key, missing, text } from "./rules.ts";

/** A queue that the bucket's events go to. */
export interface WakeQueueConfig {
  /** URL of an SQS queue that no other server reads; S3 sends its events there, directly or by SNS. */
  readonly sqs: string;
}

/** What tells a server of updates before its next poll. */
export interface WakeConfig {
  /**
   * Address and port, `"0.0.0.0:7070"`, at which peers deliver their commits and the service its
   * events. Requires `secret` or `token`.
   */
  readonly listen?: string | undefined;
  /** URLs of the servers that every stored commit is sent to. Requires `secret`. @default {[]} */
  readonly peers?: readonly string[] | undefined;
  /**
   * Shared secret that authenticates peers, the same on all: `whsec_` and base64, as from
   * `echo "whsec_$(openssl rand -base64 32)"`. Better kept in the environment than in a file.
   */
  readonly secret?: string | undefined;
  /**
   * Token that S3, MinIO or Ceph must send with the bucket's events to `/wake` at `listen`, as
   * `?token=` or `Authorization: Bearer`. At least 16 characters.
   */
  readonly token?: string | undefined;
  /** Queues that the bucket's events go to. @default {[]} */
  readonly queues?: readonly WakeQueueConfig[] | undefined;
  /**
   * Publishers change one small object after each commit, and the tail is only listed when that has
   * changed, or after five minutes: cheaper where listings cost money and little happens. Set it on
   * all servers or on none. @default {false}
   */
  readonly marker?: boolean | undefined;
}

/** A {@linkcode WakeConfig} with everything filled in. */
export interface ResolvedWake {
  /** Address and port at which peers and events are heard. */
  readonly listen: string | undefined;
  /** The servers that every commit is sent to. */
  readonly peers: readonly string[];
  /** Shared secret that authenticates peers. */
  readonly secret: string | undefined;
  /** Token that the bucket's events must bear. */
  readonly token: string | undefined;
  /** Queues that the bucket's events go to. */
  readonly queues: readonly WakeQueueConfig[];
  /** Read the marker before listing the tail. */
  readonly marker: boolean;
}

/** Defaults of the keys in `wake`. */
export const WAKE_DEFAULTS = {
  peers: [],
  queues: [],
  marker: false,
} as const satisfies WakeConfig;

/** Keys whose values no message may show; a text in place of the section may be one, too. */
export const WAKE_SECRETS = ["wake", "secret", "token"] as const;

/** Host names, IPv4 addresses, and IPv6 ones in brackets. */
const LISTEN = /^(\[[0-9a-fA-F:.]+\]|[a-zA-Z0-9.-]+):\d{1,5}$/;

const peer = text.refine((value) => isEndpoint(value) && !/[?#]/.test(value), {
  error: "must be an http:// or https:// URL without credentials, query and fragment",
});

/** The least that Standard Webhooks allows. */
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
  sqs: text.refine(isEndpoint, { error: "must be the URL of a queue" }).meta({
    description: "URL of an SQS queue",
  }),
});

/** The rules of `wake`. */
export const wakeRule = z.strictObject({
  listen: key(
    z.string().regex(LISTEN, { error: 'must be an address and port such as "0.0.0.0:7070"' }),
    "Address and port at which peers deliver their commits and the service its events",
  ),
  peers: key(
    z.array(peer),
    "URLs of the servers that every stored commit is sent to",
    WAKE_DEFAULTS.peers,
  ),
  secret: key(
    z.string().refine(isSecret, { error: 'must be "whsec_" and base64 of at least 24 bytes' }),
    "Shared secret that authenticates peers; better kept in the environment",
  ),
  token: key(
    z.string().min(16, { error: "must have at least 16 characters" }),
    "Token that the bucket's events must bear; better kept in the environment",
  ),
  queues: key(
    z.array(wakeQueueRule),
    "Queues of this server's own that the bucket's events go to",
    WAKE_DEFAULTS.queues,
  ),
  marker: key(
    z.boolean(),
    "List only when a small object has changed that publishers overwrite; on all servers, or none",
    WAKE_DEFAULTS.marker,
  ),
}, {
  error: ({ code, input }) =>
    code === "invalid_type" && Array.isArray(input)
      ? "must be an object; queues are listed in 'wake.queues'"
      : undefined,
});

/**
 * Checks what only all sources of the configuration together can tell.
 *
 * @throws {ConfigError} when a required key is missing.
 */
export function checkWake({ listen, peers = [], secret, token }: WakeConfig): void {
  if (peers.length > 0 && secret === undefined) {
    throw missing("wake.secret", "'wake.peers' needs it: the same on all servers");
  }
  if (listen !== undefined && secret === undefined && token === undefined) {
    throw missing(
      "wake.secret",
      "'wake.listen' needs it for peers, or 'wake.token' for the bucket's events",
    );
  }
}

/** Fills in the defaults. */
export function resolveWake(wake: WakeConfig = {}): ResolvedWake {
  const none = { listen: undefined, secret: undefined, token: undefined };
  return { ...none, ...WAKE_DEFAULTS, ...defined(wake) };
}
