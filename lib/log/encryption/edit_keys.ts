/**
 * Makes and changes key files. Other users can never read one, and nobody can read a half-written
 * one.
 *
 * @module
 */
import { basename, dirname, join } from "node:path";
import { suggest } from "../../base/nearest.ts";
import { systemEnvironment } from "../../base/environment.ts";
import { ConfigError, messageOf } from "../../errors.ts";
import { linkDurably, renameDurably, writeDurably } from "../../base/durable_file.ts";
import { readKeyFile } from "./key_file.ts";
import { type Jwk, type JwkSet, KEY_BYTES, type NamesJwk } from "./key_set.ts";

/** Mode of a key file: only the owner may read and write it. */
const MODE = 0o600;

/**
 * Makes a file with a new key and a new names key; resolves to the ids of its keys.
 *
 * @throws {ConfigError} when the file already exists, or cannot be written.
 */
export async function makeKeyFile(path: string): Promise<string[]> {
  const set = { keys: [newKey()], names: newNamesKey() };
  await write(path, set, async (temporary) => {
    try {
      await linkDurably(temporary, path);
    } finally {
      await Deno.remove(temporary);
    }
  });
  return kidsOf(set);
}

/** Adds a new key as the last: it decrypts only. Resolves to the ids of the keys in the file. */
export function addKey(path: string): Promise<string[]> {
  return changeKeys(path, (keys) => [...keys, newKey()]);
}

/** Makes a key the first, which encrypts. Resolves to the ids of the keys in the file. */
export function putFirst(path: string, kid: string): Promise<string[]> {
  return changeKeys(path, (keys) => {
    const first = find(keys, kid, path);
    return [first, ...keys.filter((key) => key !== first)];
  });
}

/**
 * Drops a key: objects that it encrypted can no longer be read. Resolves to the ids of the keys
 * left.
 *
 * @throws {ConfigError} when the key does not exist, or is the first.
 */
export async function dropKey(path: string, kid: string): Promise<string[]> {
  const changed = await change(path, (set) => {
    const { keys, formerNames = [] } = set;
    if (formerNames.some((key) => key.kid === kid)) {
      return { ...set, formerNames: formerNames.filter((key) => key.kid !== kid) };
    }
    if (set.names?.kid === kid) throw inUse(path, kid, "the names key; replace it first");
    const dropped = find(keys, kid, path);
    if (dropped !== keys[0]) return { ...set, keys: keys.filter((key) => key !== dropped) };
    throw inUse(
      path,
      kid,
      "the first key, which encrypts; first run keygen --first with another key",
    );
  });
  return kidsOf(changed);
}

function inUse(path: string, kid: string, what: string): ConfigError {
  return new ConfigError(`Cannot drop the key "${kid}" from ${path}: it is ${what}`);
}

/**
 * Adds a names key to a file made by version 0.1. Nothing else does, since two servers could add
 * different names keys, and name the same feed differently. Resolves to the id of the names key,
 * and to the ids of the keys in the file.
 *
 * @throws {ConfigError} when the file already has a names key.
 */
export async function addNamesKey(path: string): Promise<{ namesKey: string; keys: string[] }> {
  const names = newNamesKey();
  const changed = await change(path, (set) => {
    if (!set.names) return { ...set, names };
    throw new ConfigError(
      `Cannot add a names key to ${path}: it has one; copy the file to the servers that have none`,
    );
  });
  return { namesKey: names.kid, keys: kidsOf(changed) };
}

/**
 * Replaces the names key. The previous one stays in the file as a former names key, so that objects
 * named with it are still read. Resolves to the id of the new names key, and to the ids of the keys
 * in the file.
 *
 * @throws {ConfigError} when the file has no names key.
 */
export async function changeNamesKey(path: string): Promise<{ namesKey: string; keys: string[] }> {
  const names = newNamesKey();
  const changed = await change(path, (set) => {
    if (set.names) return { ...set, names, formerNames: [set.names, ...set.formerNames ?? []] };
    throw new ConfigError(`Cannot change the names key in ${path}: it has none (--names adds one)`);
  });
  return { namesKey: names.kid, keys: kidsOf(changed) };
}

function newKey(): Jwk {
  const { k, kid } = newSecret();
  return { kty: "oct", k, alg: "A256GCM", kid, use: "enc" };
}

function newNamesKey(): NamesJwk & { readonly kid: string } {
  const { k, kid } = newSecret();
  return { kty: "oct", k, alg: "HS256", kid, use: "sig" };
}

function newSecret(): { k: string; kid: string } {
  const bytes = crypto.getRandomValues(new Uint8Array(KEY_BYTES));
  const k = bytes.toBase64({ alphabet: "base64url", omitPadding: true });
  // The date shows people which keys are old.
  const kid = `${new Date().toISOString().slice(0, 10)}.${systemEnvironment.random.token()}`;
  return { k, kid };
}

function find(keys: readonly Jwk[], kid: string, path: string): Jwk {
  const found = keys.find((key) => key.kid === kid);
  if (found) return found;
  const kids = keys.map((key) => key.kid);
  throw new ConfigError(`Cannot find the key "${kid}" in ${path}: ${suggest(kid, kids)}`);
}

async function changeKeys(
  path: string,
  edit: (keys: readonly Jwk[]) => readonly Jwk[],
): Promise<string[]> {
  return kidsOf(await change(path, (set) => ({ ...set, keys: edit(set.keys) })));
}

async function change(given: string, edit: (set: JwkSet) => JwkSet): Promise<JwkSet> {
  const { set } = await readKeyFile(given);
  const changed = edit(set);
  const path = await Deno.realPath(given);
  const { uid, gid } = await Deno.stat(path);
  await write(path, changed, async (temporary) => {
    // If root changes the file of a service, the service must still be able to read it.
    const own = await Deno.stat(temporary);
    if (uid !== null && uid !== own.uid) await Deno.chown(temporary, uid, gid);
    await renameDurably(temporary, path);
  });
  return changed;
}

/** Writes the keys to a temporary file, which `place` then moves to its final path. */
async function write(
  path: string,
  set: JwkSet,
  place: (temporary: string) => Promise<void>,
): Promise<void> {
  const bytes = new TextEncoder().encode(JSON.stringify(set, null, 2) + "\n");
  const temporary = join(dirname(path), `.${basename(path)}.${systemEnvironment.random.token()}`);
  try {
    await writeDurably(temporary, bytes, { mode: MODE });
    await place(temporary);
  } catch (cause) {
    await Deno.remove(temporary).catch(() => {});
    throw new ConfigError(`Cannot write the keys to ${path}: ${reasonOf(cause)}`, { cause });
  }
}

function reasonOf(error: unknown): string {
  if (error instanceof Deno.errors.AlreadyExists) return "it exists (--add adds a key to it)";
  if (error instanceof Deno.errors.NotFound) return "its directory does not exist";
  return messageOf(error);
}

function kidsOf({ keys }: JwkSet): string[] {
  return keys.map(({ kid }) => kid);
}
