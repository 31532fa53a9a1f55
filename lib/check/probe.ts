/**
 * Probes a store: sends each kind of request once, with one object, and notes what comes of it.
 *
 * @module
 */
import { sameBytes } from "../base/same_bytes.ts";
import { type Clock, type Environment, sleep } from "../base/environment.ts";
import { packBody } from "../log/codec.ts";
import { PROBE_KEY } from "../log/names.ts";
import { formatOf } from "../stores/body_format.ts";
import { isDenied } from "../stores/s3/answers.ts";
import type { ObjectStore, StoreOptions } from "../stores/store.ts";

/** What came of a request. */
export interface Answer<T = unknown> {
  /** What it resolved to. */
  readonly value?: T;
  /** What it rejected with. */
  readonly error?: Error;
  /** How long it took, in milliseconds. */
  readonly ms: number;
}

/** What came of a request that was repeated until it showed what was written or deleted before. */
export interface Sight<T> extends Answer<T> {
  /** Whether it did so in the end. */
  readonly isSeen: boolean;
  /** How long after the write or delete, in milliseconds; 0 when the first request did. */
  readonly lateMs: number;
}

/** How a body came back: as it was written, unpacked, or as something else. */
export type Fidelity = "same" | "unpacked" | "other";

/** What a store answered. A request that is absent was not sent, since it could not work. */
export interface Probe {
  /** Lists the tail, as each poll does. */
  readonly list: Answer;
  /** Lists all keys, up to 1,000. */
  readonly keys?: Answer<readonly string[]>;
  /** Reads an object of the tail, if there is any: at Ceph, writers may always read what they wrote. */
  readonly other?: Answer;
  /** Reads the probe before it is written. */
  readonly before?: Answer<Uint8Array | undefined>;
  /** Writes it. */
  readonly put?: Answer;
  /** Reads it. */
  readonly get?: Sight<Fidelity | undefined>;
  /** Lists it. */
  readonly listed?: Sight<boolean>;
  /** Whether a listing of what comes after it shows it nevertheless. */
  readonly beyond?: Answer<boolean>;
  /** Deletes it. */
  readonly deleted?: Answer;
  /** Reads it once it is deleted. */
  readonly gone?: Sight<unknown>;
  /** Lists it once it is deleted. */
  readonly unlisted?: Sight<boolean>;
}

/** Number of keys that are looked at: those of one page. */
const MAX_KEYS = 1000;

/** How long and how often it is looked whether a change can be seen. */
const PATIENCE_MS = 10_000, INTERVAL_MS = 250;

/** What probing needs. */
export interface ProbeOptions {
  /** Time and randomness. */
  readonly environment: Environment;
  /** Aborts it; the probe object is deleted nevertheless. */
  readonly signal: AbortSignal;
}

/** Probes the store; rejects only when it is aborted. */
export async function probeStore(store: ObjectStore, options: ProbeOptions): Promise<Probe> {
  const { signal, environment: { clock } } = options;
  const time = <T>(work: () => Promise<T>) => timed(work, clock, signal);
  const list = await time(() => first(store.list("tail/", { signal })));
  const before = isHopeless(list) ? undefined : await time(() => store.get(PROBE_KEY, { signal }));
  if (!before) return { list };
  const keys = await time(() => keysOf(store, "", { signal }));
  const { value } = list;
  const other = value && await time(() => store.get(value.key, { signal }));
  const written = await write(store, { ...options, isOverwriting: before.value !== undefined });
  return { list, before, keys, ...other && { other }, ...written };
}

/** Whether no other request can work: only a missing right leaves hope for other rights. */
function isHopeless({ error }: Answer): boolean {
  return error !== undefined && !isDenied(error);
}

/** Writes the probe, looks for it, and deletes it. */
async function write(
  store: ObjectStore,
  { environment: { clock, random }, signal, isOverwriting }: ProbeOptions & {
    readonly isOverwriting: boolean;
  },
): Promise<Partial<Probe>> {
  const time = <T>(work: () => Promise<T>) => timed(work, clock, signal);
  const nonce = random.uuid(), body = packBody({ probe: nonce }, []);
  const look = async () => fidelity(await store.get(PROBE_KEY, { signal }), { body, nonce });
  const isListed = async () => (await keysOf(store, PROBE_KEY, { signal })).includes(PROBE_KEY);
  // Another body may be the one that was there before.
  const isSettled = (found: Fidelity | undefined) =>
    found !== undefined && !(found === "other" && isOverwriting);
  try {
    const put = await time(() => store.put(PROBE_KEY, body, { signal }));
    const seen = put.error ? {} : {
      get: await until(isSettled, look, clock, signal),
      listed: await until((isThere) => isThere, isListed, clock, signal),
      beyond: await time(() => isListedBeyond(store, signal)),
    };
    const deleted = await time(() => remove(store, { signal }));
    if (deleted.error || put.error) return { put, ...seen, deleted };
    const gone = await until((found) => found === undefined, look, clock, signal);
    const unlisted = await until((isThere) => !isThere, isListed, clock, signal);
    return { put, ...seen, deleted, gone, unlisted };
  } finally {
    if (signal.aborted) await remove(store).catch(() => {});
  }
}

async function remove(store: ObjectStore, options?: StoreOptions): Promise<void> {
  const [failed] = await store.delete([PROBE_KEY], options);
  if (failed) throw failed.error;
}

async function isListedBeyond(store: ObjectStore, signal: AbortSignal): Promise<boolean> {
  for await (const { key } of store.list(PROBE_KEY, { startAfter: `${PROBE_KEY}~`, signal })) {
    if (key === PROBE_KEY) return true;
  }
  return false;
}

async function keysOf(
  store: ObjectStore,
  prefix: string,
  options: StoreOptions,
): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of store.list(prefix, options)) {
    keys.push(key);
    if (keys.length === MAX_KEYS) break;
  }
  return keys;
}

async function first<T>(items: AsyncIterable<T>): Promise<T | undefined> {
  for await (const item of items) return item;
}

function fidelity(
  found: Uint8Array | undefined,
  { body, nonce }: { readonly body: Uint8Array; readonly nonce: string },
): Fidelity | undefined {
  if (!found) return undefined;
  if (sameBytes(found, body)) return "same";
  const isUnpacked = formatOf(found) === "ndjson" &&
    new TextDecoder().decode(found).includes(nonce);
  return isUnpacked ? "unpacked" : "other";
}

async function timed<T>(
  work: () => Promise<T>,
  clock: Clock,
  signal: AbortSignal,
): Promise<Answer<T>> {
  const begunAt = clock.elapsed();
  try {
    const value = await work();
    signal.throwIfAborted();
    return { value, ms: clock.elapsed() - begunAt };
  } catch (error) {
    signal.throwIfAborted();
    return { error: error as Error, ms: clock.elapsed() - begunAt };
  }
}

/** Asks until the answer is as it should be, for a while. */
async function until<T>(
  isRight: (value: T) => boolean,
  ask: () => Promise<T>,
  clock: Clock,
  signal: AbortSignal,
): Promise<Sight<T>> {
  const begunAt = clock.elapsed();
  for (let isFirst = true;; isFirst = false) {
    const answer = await timed(ask, clock, signal);
    const lateMs = isFirst ? 0 : clock.elapsed() - begunAt;
    const isSeen = !answer.error && isRight(answer.value as T);
    if (isSeen || answer.error || lateMs > PATIENCE_MS) return { ...answer, isSeen, lateMs };
    await sleep(clock, INTERVAL_MS, signal);
  }
}
