/**
 * Whether a store holds what a state knows of the one that it was copied from.
 *
 * @module
 */
import type { BucketLog } from "../log/bucket_log.ts";
import { CorruptObjectError } from "../errors.ts";
import { type ObjectName, reachOf } from "../log/names.ts";
import { seqOf } from "../log/positions.ts";
import type { State } from "../state/state.ts";

/** What to compare. */
export interface LackingOptions {
  readonly state: State;
  /** The log in the other store. */
  readonly log: BucketLog;
  /** How long the newest commit of a stream is there at least. */
  readonly retentionMs: number | false;
  readonly signal?: AbortSignal;
}

type Tail = ReadonlyMap<string, readonly ObjectName[]>;

/**
 * Tells what the store lacks, a sentence each; nothing when it may hold everything. Streams that are
 * gone there prove nothing: they may have expired.
 */
export async function whatIsLacking(options: LackingOptions): Promise<string[]> {
  const { state, log, signal } = options;
  const tail = await log.list({ signal });
  if (tail.size === 0 && state.knowsObjects() && !await holdsNewest(options)) {
    return ["It is empty"];
  }
  const lacking: string[] = [];
  for (const [stream, known] of knownEnds(options, tail)) {
    const reach = reachOf(tail.get(stream) ?? []);
    if (reach < known) {
      lacking.push(`It has ${stream} up to ${reach || "nothing"}, and the state up to ${known}`);
    }
  }
  return [...lacking, ...await unreadable(options, tail)];
}

/** Up to where the state knows the streams that must be there. */
function knownEnds(
  { state, log, retentionMs }: LackingOptions,
  tail: Tail,
): Map<string, number> {
  const known = new Map<string, number>();
  for (const stream of tail.keys()) known.set(stream, state.cursors.get(stream));
  const { stream, base, uploadedRow } = state.ownStream.load();
  const published = state.outbox.timeOf(uploadedRow) ?? state.fact("lastPublished");
  const isKept = retentionMs === false || Number(published ?? 0) > log.now() - retentionMs;
  if (isKept || tail.has(stream)) known.set(stream, seqOf(uploadedRow, base));
  return known;
}

async function holdsNewest({ log, signal }: LackingOptions): Promise<boolean> {
  for await (const _ of log.newest.list({ signal })) return true;
  return false;
}

/** With keys, an object is read only at the key at which it was written, prefix included. */
async function unreadable(
  { state, log, signal }: LackingOptions,
  tail: Tail,
): Promise<string[]> {
  const own = tail.get(state.ownStream.load().stream);
  const [name] = own ?? [...tail.values()].flat();
  try {
    if (name) (await log.read(name, { signal }))?.decode();
    return [];
  } catch (error) {
    if (!(error instanceof CorruptObjectError)) throw error;
    return [`${error.message}; encrypted objects must keep their names, prefix included`];
  }
}
