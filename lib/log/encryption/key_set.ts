/**
 * Keys: a JWK Set (RFC 7517) of symmetric keys. All of them decrypt, the first encrypts.
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

/** A JWK Set; its other members are kept unchanged. */
export interface JwkSet {
  /** The keys, the one that encrypts first. */
  readonly keys: readonly Jwk[];
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
}

/**
 * Parses a JWK Set; `path` is the file it comes from, for messages.
 *
 * @throws {ConfigError} when it is not valid.
 */
export function parseKeys(text: string, path: string): JwkSet {
  const wrong = (what: string) => new ConfigError(`Cannot use the keys in ${path}: ${what}`);
  const set = parseJson(text);
  if (set === undefined) throw wrong("the file is not JSON");
  const keys = (set as { keys?: unknown } | null)?.keys;
  if (!Array.isArray(keys)) throw wrong(`the file is not a JWK Set, {"keys": [...]}`);
  if (keys.length === 0) throw wrong("the file has no keys");
  const kids = new Set<string>();
  for (const [index, key] of keys.entries()) {
    const fault = faultOf(key ?? {});
    if (fault) throw wrong(`key ${index + 1} ${fault}`);
    if (kids.has(key.kid)) throw wrong(`two keys have the 'kid' ${JSON.stringify(key.kid)}`);
    kids.add(key.kid);
  }
  return set as JwkSet;
}

/** Imports keys for use. */
export async function importKeys({ keys }: JwkSet): Promise<KeySet> {
  const imported = await Promise.all(keys.map(async ({ kid, k }): Promise<Key> => {
    const bytes = Uint8Array.fromBase64(k, { alphabet: "base64url" });
    const usages: KeyUsage[] = ["encrypt", "decrypt"];
    return { kid, secret: await crypto.subtle.importKey("raw", bytes, "AES-GCM", false, usages) };
  }));
  return { first: imported[0], keys: new Map(imported.map((key) => [key.kid, key])) };
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
  const size = sizeOf(k);
  if (size === undefined) return `(${named}) has a 'k' that is not base64url`;
  if (size !== KEY_BYTES) return `(${named}) has ${size} bytes in 'k', not ${KEY_BYTES}`;
  return undefined;
}

function sizeOf(k: unknown): number | undefined {
  if (typeof k !== "string" || !/^[\w-]*$/.test(k)) return undefined;
  try {
    return Uint8Array.fromBase64(k, { alphabet: "base64url" }).length;
  } catch {
    return undefined;
  }
}
