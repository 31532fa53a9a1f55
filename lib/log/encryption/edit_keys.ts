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
import { type Jwk, type JwkSet, KEY_BYTES } from "./key_set.ts";

/** Mode of a key file: only the owner may read and write it. */
const MODE = 0o600;

/**
 * Makes a file with a new key; resolves to the ids of the keys in it.
 *
 * @throws {ConfigError} when the file already exists, or cannot be written.
 */
export async function makeKeyFile(path: string): Promise<string[]> {
  const set = { keys: [newKey()] };
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
  return change(path, (keys) => [...keys, newKey()]);
}

/** Makes a key the first, which encrypts. Resolves to the ids of the keys in the file. */
export function putFirst(path: string, kid: string): Promise<string[]> {
  return change(path, (keys) => {
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
export function dropKey(path: string, kid: string): Promise<string[]> {
  return change(path, (keys) => {
    const dropped = find(keys, kid, path);
    if (dropped !== keys[0]) return keys.filter((key) => key !== dropped);
    throw new ConfigError(
      `Cannot drop the key "${kid}" from ${path}: it is the first key, which encrypts; first ` +
        "run keygen --first with another key",
    );
  });
}

function newKey(): Jwk {
  const bytes = crypto.getRandomValues(new Uint8Array(KEY_BYTES));
  const k = bytes.toBase64({ alphabet: "base64url", omitPadding: true });
  // The date shows people which keys are old.
  const kid = `${new Date().toISOString().slice(0, 10)}.${systemEnvironment.random.token()}`;
  return { kty: "oct", k, alg: "A256GCM", kid, use: "enc" };
}

function find(keys: readonly Jwk[], kid: string, path: string): Jwk {
  const found = keys.find((key) => key.kid === kid);
  if (found) return found;
  const kids = keys.map((key) => key.kid);
  throw new ConfigError(`Cannot find the key "${kid}" in ${path}: ${suggest(kid, kids)}`);
}

async function change(
  given: string,
  edit: (keys: readonly Jwk[]) => readonly Jwk[],
): Promise<string[]> {
  const { set } = await readKeyFile(given);
  const changed = { ...set, keys: edit(set.keys) };
  const path = await Deno.realPath(given);
  const { uid, gid } = await Deno.stat(path);
  await write(path, changed, async (temporary) => {
    // If root changes the file of a service, the service must still be able to read it.
    const own = await Deno.stat(temporary);
    if (uid !== null && uid !== own.uid) await Deno.chown(temporary, uid, gid);
    await renameDurably(temporary, path);
  });
  return kidsOf(changed);
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
