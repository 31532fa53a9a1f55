/**
 * Checks the keys, and whether objects in the store can be read with them.
 *
 * @module
 */
import { AccessDeniedError, MissingObjectError } from "../errors.ts";
import type { BucketLog } from "../log/bucket_log.ts";
import { type ObjectName, parseKey } from "../log/names.ts";
import { listed } from "../fleet/status/words.ts";
import { type Finding, ok, unchecked, warning, wrong } from "./finding.ts";
import type { Subject } from "./subject.ts";

/** Checks the key file, the newest objects, and the presences. */
export async function* checkKeys(subject: Subject): AsyncIterable<Finding> {
  const { config: { encryption }, blocked } = subject;
  try {
    await subject.envelope();
  } catch (error) {
    yield wrong(error as Error);
    return yield unchecked("objects", "the keys cannot be used");
  }
  if (encryption) {
    yield ok(`The keys in ${encryption.keys} can be used, and only by their owner`);
    if (encryption.allowPlaintext) {
      const what = "Unencrypted objects are read, too ('encryption.allowPlaintext')";
      yield warning(what, "Remove it once all servers encrypt: whoever can write could forge them");
    }
  }
  if (blocked) return yield unchecked("objects", blocked.reason);
  const log = await subject.log();
  const newest = () => readNewest(log, subject);
  yield* reading("the newest commit", "There is no commit yet", newest);
  yield* reading("a kept update", "No update is kept in newest/ yet", () => readKept(log, subject));
  yield* aboutPresences(subject);
}

/** Tells whether something can be read; `read` resolves to its key, if there is any. */
async function* reading(
  what: string,
  otherwise: string,
  read: () => Promise<string | undefined>,
): AsyncIterable<Finding> {
  try {
    const key = await read();
    yield ok(key === undefined ? otherwise : `${capital(what)} can be read: ${key}`);
  } catch (error) {
    // The rights are checked elsewhere.
    if (error instanceof AccessDeniedError) yield unchecked(what, "it may not be read");
    else yield wrong(error as Error);
  }
}

async function readNewest(log: BucketLog, { store, signal }: Subject): Promise<string | undefined> {
  let newest: ObjectName | undefined, newestAt = -Infinity;
  for await (const { key, lastModified = 0 } of store!.list("tail/", { signal })) {
    const name = parseKey(key);
    if (name && lastModified >= newestAt) [newest, newestAt] = [name, lastModified];
  }
  if (newest) (await log.read(newest, { signal }))?.decode();
  return newest?.key;
}

async function readKept(log: BucketLog, { signal }: Subject): Promise<string | undefined> {
  for await (const name of log.newest.list({ signal })) {
    await log.newest.read(name, { signal });
    return name.key;
  }
}

async function* aboutPresences(subject: Subject): AsyncIterable<Finding> {
  try {
    const { presences } = await subject.fleet();
    const unreadable = presences.filter(({ error }) =>
      error && !(error instanceof MissingObjectError || error instanceof AccessDeniedError)
    );
    for (const { error } of unreadable) yield wrong(error!);
    const plain = presences.filter(({ stored }) => stored?.isPlain).map(({ name }) => name.server);
    if (plain.length > 0) {
      const what = `${listed(plain)}: not encrypted, although this machine has keys`;
      yield warning(what, "Set 'encryption.keys' there to the key file of the others");
    }
    const names = presences.filter(({ stored }) => stored).map(({ name }) => name.server);
    if (names.length > 0) yield ok(`Presences can be read: ${listed([...new Set(names)].sort())}`);
    else if (unreadable.length === 0) yield ok("No server is seen yet");
  } catch (error) {
    if (error instanceof AccessDeniedError) yield unchecked("presences", "they may not be listed");
    else yield wrong(error as Error);
  }
}

function capital(text: string): string {
  return text[0].toUpperCase() + text.slice(1);
}
