/**
 * Keys: a JWK Set (RFC 7517) of symmetric keys. All of them decrypt, the first encrypts. The set
 * also has the names key, which hides the URLs of feeds in object keys.
 *
 * Messages never quote a key, nor the error of the JSON parser, which quotes the text.
 *
 * @module
 */
import { ConfigError } from "../../errors.ts";

/** Length of a key in bytes. */
export const KEY_BYTES = 32;

/** Maximum length of a key id, which is in the header of every object. */
export const MAX_KID_LENGTH = 128;

/** A key as it is in a JWK Set. */
export interface Jwk {
  /** Key type: symmetric. */
  readonly kty: "oct";
  /** The key itself in base64url. */
  readonly k: string;
  /** Id of the key. */
  readonly kid: string;
  /** The algorithm that it is for. */
  readonly alg?: "A256GCM";
  /** Use of the key: encryption. */
  readonly use?: "enc";
}

/** The names key as it is in a JWK Set: a key for HMAC-SHA-256. */
export interface NamesJwk {
  /** Key type: symmetric. */
  readonly kty: "oct";
  /** The key itself in base64url. */
  readonly k: string;
  /** Id of the key. */
  readonly kid?: string;
  /** The algorithm that it is for. */
  readonly alg?: "HS256";
  /** Use of the key: signing. */
  readonly use?: "sig";
}

/** A JWK Set; unknown members are preserved. */
export interface JwkSet {
  /** The keys, the one that encrypts first. */
  readonly keys: readonly Jwk[];
  /** The names key; files made by version 0.1 have none. */
  readonly names?: NamesJwk;
  /** Former names keys: objects named with them are still read. @default none */
  readonly formerNames?: readonly NamesJwk[];
}

/** An imported key, which cannot be exported again. */
export interface Key {
  /** Id of the key. */
  readonly kid: string;
  /** The key. */
  readonly secret: CryptoKey;
}

/** Imported keys. */
export interface KeySet {
  /** The key that encrypts. */
  readonly first: Key;
  /** All keys, by id. */
  readonly keys: ReadonlyMap<string, Key>;
  /** The names key. */
  readonly names: CryptoKey;
  /** Former names keys. */
  readonly formerNames: readonly CryptoKey[];
}

/**
 * Parses a JWK Set; `path` is the file it comes from, for messages.
 *
 * @throws {ConfigError} when it is not valid.
 */
export function parseKeys(text: string, path: string): JwkSet {
  const wrong = (what: string) => unusable(path, what);
  const set = parseJson(text);
  if (set === undefined) throw wrong("the file is not JSON");
  const { keys, names, formerNames = [] } = (set ?? {}) as Record<string, unknown>;
  if (!Array.isArray(keys)) throw wrong(`the file is not a JWK Set, {"keys": [...]}`);
  if (keys.length === 0) throw wrong("the file has no keys");
  const kids = new Set<string>();
  for (const [index, key] of keys.entries()) {
    const fault = faultOf(key ?? {});
    if (fault) throw wrong(`key ${index + 1} ${fault}`);
    if (kids.has(key.kid)) throw wrong(`two keys have the 'kid' ${JSON.stringify(key.kid)}`);
    kids.add(key.kid);
  }
  const fault = names === undefined ? undefined : namesFaultOf(names ?? {});
  if (fault) throw wrong(`the names key ${fault}`);
  if (!Array.isArray(formerNames)) throw wrong("'formerNames' is not a list of names keys");
  for (const key of formerNames) {
    const fault = namesFaultOf(key ?? {});
    if (fault) throw wrong(`a former names key ${fault}`);
  }
  return set as JwkSet;
}

/**
 * Imports keys; `path` is the file they come from, for messages.
 *
 * @throws {ConfigError} when the names key is missing.
 */
export async function importKeys(
  { keys, names, formerNames = [] }: JwkSet,
  path: string,
): Promise<KeySet> {
  if (!names) {
    throw unusable(
      path,
      `there is no names key; run feedsync keygen --names ${path} on one server, and copy the ` +
        "file to all others",
    );
  }
  const imported = await Promise.all(keys.map(async ({ kid, k }): Promise<Key> => {
    const usages: KeyUsage[] = ["encrypt", "decrypt"];
    return {
      kid,
      secret: await crypto.subtle.importKey("raw", bytesOf(k), "AES-GCM", false, usages),
    };
  }));
  return {
    first: imported[0],
    keys: new Map(imported.map((key) => [key.kid, key])),
    names: await importNamesKey(names),
    formerNames: await Promise.all(formerNames.map(importNamesKey)),
  };
}

function importNamesKey({ k }: NamesJwk): Promise<CryptoKey> {
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  return crypto.subtle.importKey("raw", bytesOf(k), algorithm, false, ["sign"]);
}

function unusable(path: string, what: string): ConfigError {
  return new ConfigError(`Cannot use the keys in ${path}: ${what}`);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text.replace(/^\uFEFF/, ""));
  } catch {
    return undefined;
  }
}

function faultOf(
  { kty, k, kid, alg, use }: Partial<Record<keyof Jwk, unknown>>,
): string | undefined {
  if (typeof kid !== "string" || kid === "") return "has no 'kid'";
  if (kid.length > MAX_KID_LENGTH) return `has a 'kid' of more than ${MAX_KID_LENGTH} characters`;
  const named = JSON.stringify(kid);
  if (kty !== "oct") return `(${named}) must have the 'kty' "oct"`;
  if (alg !== undefined && alg !== "A256GCM") return `(${named}) must have the 'alg' "A256GCM"`;
  if (use !== undefined && use !== "enc") return `(${named}) must have the 'use' "enc"`;
  const fault = secretFaultOf(k);
  return fault && `(${named}) ${fault}`;
}

function namesFaultOf(
  { kty, k, alg, use }: Partial<Record<keyof NamesJwk, unknown>>,
): string | undefined {
  if (kty !== "oct") return "must have the 'kty' \"oct\"";
  if (alg !== undefined && alg !== "HS256") return "must have the 'alg' \"HS256\"";
  if (use !== undefined && use !== "sig") return "must have the 'use' \"sig\"";
  return secretFaultOf(k);
}

function secretFaultOf(k: unknown): string | undefined {
  const size = sizeOf(k);
  if (size === undefined) return "has a 'k' that is not base64url";
  return size === KEY_BYTES ? undefined : `has ${size} bytes in 'k', not ${KEY_BYTES}`;
}

function sizeOf(k: unknown): number | undefined {
  if (typeof k !== "string" || !/^[\w-]*$/.test(k)) return undefined;
  try {
    return bytesOf(k).length;
  } catch {
    return undefined;
  }
}

function bytesOf(k: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.fromBase64(k, { alphabet: "base64url" });
}
