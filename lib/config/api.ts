/**
 * The section `api`: the local HTTP API, by which programs in any language take part.
 *
 * @module
 */
import { resolve } from "node:path";
import * as z from "zod/mini";
import { BYTE_SIZE_RULE, type ByteSize, isByteSize, parseByteSize } from "../base/byte_size.ts";
import { type Duration, parseDuration } from "../base/duration.ts";
import { duration, key, missing, text } from "./rules.ts";

/** What waits for the consumers of the local API. */
export interface ApiInboxConfig {
  /** How long updates wait for consumers, and consumers that do not read live. @default {"7d"} */
  readonly maxAge?: Duration | undefined;
  /** How much waits for consumers, such as `"1GB"`; a number is bytes. @default {"1GB"} */
  readonly maxBytes?: ByteSize | undefined;
}

/** The local HTTP API, for programs on this machine. */
export interface ApiConfig {
  /** Where it listens: `"127.0.0.1:7071"`, or `"unix:/run/feedsync.sock"`. */
  readonly listen?: string | undefined;
  /**
   * The token that requests must carry, at least 16 characters; `false`: none, so that every user
   * of the machine may do everything.
   *
   * @default a random one, in a file beside the state
   */
  readonly token?: string | false | undefined;
  /** The group that may read the file with the token, and use the socket. @default the process's */
  readonly group?: string | undefined;
  /** Host names, besides `localhost`, under which requests may arrive. @default {[]} */
  readonly hosts?: readonly string[] | undefined;
  /** What waits for consumers. */
  readonly inbox?: ApiInboxConfig | undefined;
}

/** An {@linkcode ApiConfig} with everything filled in. */
export interface ResolvedApi {
  /** Address and port, or `unix:` and an absolute path. */
  readonly listen: string;
  /** The token; `false`: none. Absent: it is in a file. */
  readonly token: string | false | undefined;
  /** The group that may read the file with the token, and use the socket. */
  readonly group: string | undefined;
  /** Host names under which requests may arrive, in lower case. */
  readonly hosts: readonly string[];
  /** What waits for consumers. */
  readonly inbox: { readonly maxAgeMs: number; readonly maxBytes: number };
}

/** Defaults of the keys in `api`. */
export const API_DEFAULTS = { hosts: [], inbox: { maxAge: "7d", maxBytes: "1GB" } } as const;

/** Keys whose values must not appear in messages. */
export const API_SECRETS = ["api", "token"] as const;

const UNIX = "unix:";

const LISTEN = /^(?:unix:.+|(\[[0-9a-fA-F:.]+\]|[a-zA-Z0-9.-]+):\d{1,5})$/;

const HOST = /^[a-zA-Z0-9_](?:[a-zA-Z0-9._-]*[a-zA-Z0-9_])?$/;

/** Less would make consumers miss almost everything. */
const MIN_INBOX_BYTES = 1_000_000;

const byteSize = z.union([z.string(), z.number()], { error: BYTE_SIZE_RULE })
  .check(
    z.refine(isByteSize, { error: BYTE_SIZE_RULE, abort: true }),
    z.refine((value) => parseByteSize(value) >= MIN_INBOX_BYTES, {
      error: 'must be at least "1MB"',
    }),
  );

/** No header is longer. */
const TOKEN = /^[\x21-\x7e]{16,1024}$/;

const TOKEN_RULE = "must have 16 to 1024 characters of ASCII, without spaces; or be false";

/** The rules of `api`. */
export const apiRule = z.strictObject({
  listen: key(
    z.string().check(z.regex(LISTEN, {
      error: 'must be an address and port such as "127.0.0.1:7071", or "unix:" and a path',
    })),
    'Where the API listens: address and port, or "unix:" and the path of a socket',
  ),
  token: key(
    z.union([
      z.literal(false),
      z.string().check(z.regex(TOKEN, { error: TOKEN_RULE })),
    ], { error: TOKEN_RULE }),
    "Token that requests must carry; false: none. A random one in a file beside the state unless " +
      "given",
  ),
  group: key(text, "Group that may read the file with the token, and use the socket"),
  hosts: key(
    z.array(z.string().check(z.regex(HOST, { error: "must be a host name, without port" }))),
    "Host names, besides localhost, under which requests may arrive",
    API_DEFAULTS.hosts,
  ),
  inbox: key(
    z.strictObject({
      maxAge: key(
        duration({ min: "1m", max: "3650d" }),
        "How long updates wait for consumers",
        API_DEFAULTS.inbox.maxAge,
      ),
      maxBytes: key(byteSize, "How much waits for consumers", API_DEFAULTS.inbox.maxBytes),
    }),
    "What waits for consumers",
  ),
});

/**
 * Checks the keys together, once all sources of the configuration are merged.
 *
 * @throws {ConfigError} when a required key is missing.
 */
export function checkApi({ listen }: ApiConfig): void {
  if (listen === undefined) throw missing("api.listen", "the other keys of 'api' require it");
}

/** A copy whose path is absolute. */
export function absoluteApi({ listen, ...rest }: ApiConfig, base: string): ApiConfig {
  if (listen === undefined) return rest;
  const path = socketPath(listen);
  return { ...rest, listen: path === undefined ? listen : `${UNIX}${resolve(base, path)}` };
}

/** The path of the Unix socket; undefined for an address and port. */
export function socketPath(listen: string): string | undefined {
  return listen.startsWith(UNIX) ? listen.slice(UNIX.length) : undefined;
}

/** Fills in the defaults; `undefined` when the API is not configured. */
export function resolveApi(api: ApiConfig | undefined): ResolvedApi | undefined {
  if (api?.listen === undefined) return undefined;
  const { listen, token, group, hosts = API_DEFAULTS.hosts, inbox } = api;
  return {
    ...{ listen, token, group },
    hosts: hosts.map((host) => host.toLowerCase()),
    inbox: {
      maxAgeMs: parseDuration(inbox?.maxAge ?? API_DEFAULTS.inbox.maxAge),
      maxBytes: parseByteSize(inbox?.maxBytes ?? API_DEFAULTS.inbox.maxBytes),
    },
  };
}
