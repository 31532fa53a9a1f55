/**
 * Forks: a state that was copied to another machine, or restored from an older backup, would give
 * one seq two meanings. Looking at the own tail tells, and a new stream mends it.
 *
 * @module
 */
import { getLogger } from "@logtape/logtape";
import type { StoredUpdate } from "../../log/codec.ts";
import { type StoredCommit, type UploadContext, weightOf } from "../commit.ts";
import { publishContested } from "./contested.ts";
import { sleep } from "../../base/environment.ts";
import { type ObjectName, parseKey, reachOf, serverOf } from "../../log/names.ts";
import { earlier, later, plus, type Row, rowOf, type Seq, seqOf } from "../../log/positions.ts";
import { readObject } from "./read_objects.ts";
import type { StreamState } from "../../state/own_stream.ts";
import type { State } from "../../state/state.ts";
import { MAX_LISTING_LAG_MS, type StoreOptions } from "../../stores/store.ts";

const logger = getLogger(["feedsync", "publish"]);

/** What was known before a listing began: it may show what was done away with meanwhile. */
export interface KnownTail {
  /** Where the stream stood. */
  readonly before: StreamState;
  /** Keys of the objects that were known to be own. */
  readonly known: ReadonlySet<string>;
}

/** Takes down what is known, before the own tail is listed. */
export function knownTail({ ownStream }: State): KnownTail {
  return { before: ownStream.load(), known: ownStream.knownKeys() };
}

/** A listing of the own tail. */
export interface OwnTail extends KnownTail {
  /** The commits listed. */
  readonly commits: readonly ObjectName[];
  /** The commits listed of streams that were given up. */
  readonly former: readonly ObjectName[];
}

/** Lists the own tail. */
export async function listOwnTail(
  { state, log, environment: { clock } }: UploadContext,
  options: StoreOptions,
): Promise<OwnTail> {
  const knownBefore = knownTail(state);
  const commits = await log.listStream("tail", knownBefore.before.stream, options);
  const former: ObjectName[][] = [];
  for (const { stream } of state.former.all(clock.now())) {
    former.push(await log.listStream("tail", stream, options));
  }
  return { ...knownBefore, commits, former: former.flat() };
}

/** Whether a listing shows anything that {@linkcode checkOwnTail} has to look into. */
export function isSuspicious(context: UploadContext, tail: OwnTail): boolean {
  return hasExpired(tail) || unknownCommits(context, tail).length > 0;
}

/**
 * Compares the own tail with the outbox. What an earlier run uploaded without knowing counts as
 * uploaded. When the stream's newest commit is gone, or a commit holds other updates than the
 * outbox, a new stream is begun, in which all rows are published that may not have arrived. Resolves to
 * what was stored meanwhile.
 */
export async function checkOwnTail(
  context: UploadContext,
  listed: OwnTail,
  options: StoreOptions,
): Promise<readonly StoredCommit[]> {
  const { state: { ownStream } } = context;
  if (ownStream.load().stream !== listed.before.stream) return [];
  const tail = hasExpired(listed) ? await listAgain(context, options) : listed;
  const expired = hasExpired(tail);
  const unknown = unknownCommits(context, tail);
  const fork = await lowestDifference(context, unknown, options);
  if (fork === undefined && !expired) return await tidyUp(context, unknown, options);
  const { stream, base, uploadedRow, closedSeq } = ownStream.load();
  const next = plus(seqOf(uploadedRow, base), 1);
  const from = later(plus(closedSeq, 1), earlier(fork ?? next, next));
  logger.warn(
    expired
      ? "The newest commit of {stream} is gone from the bucket; a new stream is begun"
      : "Another copy of the state {path} writes to {stream}, too; what may not have arrived is " +
        "published again in a new stream (give each server a state of its own)",
    { path: context.state.path, stream },
  );
  beginStream(context, rowOf(from, base));
  return [];
}

/** A listing may lag: what it does not show is looked for once more before it counts as gone. */
async function listAgain(context: UploadContext, options: StoreOptions): Promise<OwnTail> {
  await sleep(context.environment.clock, MAX_LISTING_LAG_MS, options.signal);
  return await listOwnTail(context, options);
}

/** Garbage that is not listed any more was deleted by somebody else: perhaps this server never may. */
export function forgetGone(
  { state: { ownStream } }: UploadContext,
  { before: { stream }, commits, known }: OwnTail,
): void {
  if (known.size <= commits.length) return;
  const listed = new Set(commits.map(({ key }) => key));
  const isGone = (key: string) => {
    const name = parseKey(key);
    return name?.kind === "tail" && name.stream === stream && known.has(key) && !listed.has(key);
  };
  ownStream.dropGarbage(ownStream.garbage(Infinity).filter(isGone));
}

/** A stream is continued only if its newest commit is still there. */
function hasExpired({ before, commits }: OwnTail): boolean {
  return reachOf(commits) < seqOf(before.uploadedRow, before.base);
}

function unknownCommits(
  { state: { ownStream, former }, absent }: UploadContext,
  { commits, known }: OwnTail,
): ObjectName[] {
  const unknown = commits.filter(({ key }) => !known.has(key));
  if (unknown.length === 0) return unknown;
  const own = ownStream.knownKeys(); // Some may have been stored during the listing.
  return unknown.filter((commit) =>
    !own.has(commit.key) && !former.hasSeen(commit) && absent.isDue(commit)
  );
}

/** The lowest seq at which any of the commits differs from the outbox; undefined when none does. */
async function lowestDifference(
  context: UploadContext,
  commits: readonly ObjectName[],
  options: StoreOptions,
): Promise<Seq | undefined> {
  let lowest: Seq | undefined;
  for (const name of commits) {
    const updates = await readObject(name, context, options);
    // A commit that is not found has been sealed, and the next listing shows what follows it. Or a replica
    // lags: then a later listing shows the commit again.
    const seq = updates && compare(context, name, updates);
    if (seq !== undefined) lowest = earlier(lowest ?? seq, seq);
  }
  return lowest;
}

/**
 * Returns the lowest seq beyond the last closed segment at which the commit differs from the outbox;
 * undefined when it does not. What is new then counts as uploaded.
 */
function compare(
  { state, state: { outbox, ownStream } }: UploadContext,
  { key, first, last }: ObjectName,
  updates: readonly StoredUpdate[] | "corrupt" | "locked",
): Seq | undefined {
  const { base, closedSeq, sealedSeq, uploadedRow } = ownStream.load();
  const from = later(first, plus(closedSeq, 1));
  if (updates === "corrupt" || updates === "locked") return from;
  const ids = outbox.ids(rowOf(from, base), rowOf(last, base));
  const different = updates.find(({ seq, id }) => seq >= from && ids.get(rowOf(seq, base)) !== id);
  if (different) return different.seq;
  if (last <= sealedSeq) return undefined;
  const bytes = weightOf(JSON.stringify(updates));
  const lastRow = rowOf(last, base);
  const followsUploaded = rowOf(first, base) <= plus(uploadedRow, 1) && lastRow > uploadedRow;
  state.transaction(() => {
    ownStream.addCommit({ key, first, last, bytes });
    if (followsUploaded) ownStream.save({ uploadedRow: lastRow });
  }, { durable: false });
  return undefined;
}

/**
 * Without a fork, commits at or below what is sealed are leftovers: of those at or below the last
 * closed segment, whose rows are gone, the bucket has to tell. What was not read is left as it is.
 * Resolves to what was stored.
 */
async function tidyUp(
  context: UploadContext,
  unknown: readonly ObjectName[],
  options: StoreOptions,
): Promise<readonly StoredCommit[]> {
  const { state, state: { ownStream }, locked, absent, environment: { clock } } = context;
  const { stream, closedSeq, sealedSeq } = ownStream.load();
  const read = unknown.filter((name) => !absent.has(name));
  const below = read.filter(({ first }) => first <= closedSeq);
  if (below.length > 0) {
    const { stored, listed } = await publishContested(context, stream, options);
    if (listed.some((name) => locked.has(name))) return stored; // Nothing is known, or deleted.
    if (listed.some((name) => absent.has(name))) {
      for (const name of below) absent.postpone(name); // They were not compared with it.
      return stored;
    }
    const seen = [...below, ...listed.filter(({ kind }) => kind === "segments")];
    state.transaction(() => seen.forEach((name) => state.former.noteSeen(name)));
    if (stored.length > 0) return stored;
  }
  state.transaction(() => {
    for (const { key, last } of read) {
      if (last <= sealedSeq) ownStream.addGarbage(key, clock.now());
    }
  }, { durable: false });
  return [];
}

/** Begins a new stream at the outbox row `row`. */
function beginStream(
  { state, includeOwn, environment: { clock, random } }: UploadContext,
  first: Row,
): void {
  const { ownStream, former, outbox, cursors } = state;
  const { stream, base, uploadedRow } = ownStream.load();
  const lastRow = plus(first, -1), lastSeq = seqOf(lastRow, base);
  const readTo = includeOwn ? earlier(cursors.get(stream), lastSeq) : lastSeq;
  state.transaction(() => {
    ownStream.noteRepublished(lastRow);
    former.add({ stream, base, uploadedSeq: seqOf(uploadedRow, base) }, clock.now());
    for (const { key } of ownStream.commits()) former.noteSeen(parseKey(key)!);
    cursors.setBack(stream, readTo);
    ownStream.begin(`${serverOf(stream)}_${random.token()}`, { base: lastRow, previous: stream });
    outbox.drop(lastRow);
  });
}
