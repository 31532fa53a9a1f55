/**
 * How a fork is detected, and what happens then. A state that was copied to another machine, or restored from
 * an older backup, would give one seq two updates. The own tail shows that: it is compared with the outbox,
 * and after a fork a new stream is begun.
 *
 * @module
 */
import { getLogger } from "@logtape/logtape";
import { sleep } from "../../base/environment.ts";
import type { StoredUpdate } from "../../log/codec.ts";
import { type ObjectName, parseKey, reachOf } from "../../log/names.ts";
import { earlier, later, plus, rowOf, type Seq, seqOf } from "../../log/positions.ts";
import type { StreamState } from "../../state/own_stream.ts";
import type { State } from "../../state/state.ts";
import { MAX_LISTING_LAG_MS, type StoreOptions } from "../../stores/store.ts";
import { type StoredCommit, type UploadContext, weightOf } from "../commit.ts";
import { beginNewStream } from "../new_stream.ts";
import { takeUploaded } from "../own_updates.ts";
import { republishConflicts } from "./republish.ts";

const logger = getLogger(["feedsync", "publish"]);

/** What was known before a listing began, which may show objects that were deleted meanwhile. */
export interface KnownTail {
  /** The state of the own stream. */
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
  /** Its commits. */
  readonly commits: readonly ObjectName[];
  /** The commits of streams that were given up. */
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

/** Whether a listing shows anything that {@linkcode detectFork} has to examine. */
export function needsCheck(context: UploadContext, tail: OwnTail): boolean {
  return lacksNewest(tail) || unknownCommits(context, tail).length > 0;
}

/**
 * Compares the own tail with the outbox. A commit that an earlier run uploaded without recording it now counts
 * as uploaded. When the newest commit is gone, or a commit differs from the outbox, a new stream is begun, and
 * everything is published again there that may not have arrived. Resolves to what was stored meanwhile.
 */
export async function detectFork(
  context: UploadContext,
  listed: OwnTail,
  options: StoreOptions,
): Promise<readonly StoredCommit[]> {
  const { state: { ownStream, path } } = context;
  if (ownStream.load().stream !== listed.before.stream) return [];
  const tail = lacksNewest(listed) ? await listAgain(context, options) : listed;
  const isNewestGone = lacksNewest(tail);
  const unknown = unknownCommits(context, tail);
  const forkedAt = await lowestDifference(context, unknown, options);
  if (forkedAt === undefined && !isNewestGone) {
    return await dropLeftovers(context, unknown, options);
  }
  const { stream, base, uploadedRow, closedSeq } = ownStream.load();
  const next = plus(seqOf(uploadedRow, base), 1);
  const from = later(plus(closedSeq, 1), earlier(forkedAt ?? next, next));
  logger.warn(
    isNewestGone
      ? "The newest commit of {stream} is gone from the bucket; a new stream is begun"
      : "Another copy of the state {path} also writes to {stream}; updates that may not have arrived are " +
        "published again in a new stream (give each server a state of its own)",
    { path, stream },
  );
  beginNewStream(context, rowOf(from, base));
  return [];
}

/** A listing may lag: a commit counts as gone only when a second listing lacks it, too. */
async function listAgain(context: UploadContext, options: StoreOptions): Promise<OwnTail> {
  await sleep(context.environment.clock, MAX_LISTING_LAG_MS, options.signal);
  return await listOwnTail(context, options);
}

/** Forgets garbage in the tail that somebody else has deleted: perhaps this server never may. */
export function forgetMissingGarbage(
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
function lacksNewest({ before: { uploadedRow, base }, commits }: OwnTail): boolean {
  return reachOf(commits) < seqOf(uploadedRow, base);
}

function unknownCommits(
  { state: { ownStream, former }, objects }: UploadContext,
  { commits, known }: OwnTail,
): ObjectName[] {
  const unknown = commits.filter(({ key }) => !known.has(key));
  if (unknown.length === 0) return unknown;
  const own = ownStream.knownKeys(); // Some may have been stored during the listing.
  return unknown.filter((commit) =>
    !own.has(commit.key) && !former.hasSeen(commit) && objects.isDue(commit)
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
    const updates = await context.objects.read(name, options);
    // A commit that is not found has been sealed, and the next listing shows what follows it. Or a replica
    // lags: then a later listing shows the commit again.
    const seq = updates && compareWithOutbox(context, name, updates);
    if (seq !== undefined) lowest = earlier(lowest ?? seq, seq);
  }
  return lowest;
}

/**
 * Returns the lowest seq beyond the last closed segment at which the commit differs from the outbox, or
 * undefined when it does not: then the commit counts as uploaded.
 */
function compareWithOutbox(
  { state, state: { outbox, ownStream }, environment }: UploadContext,
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
    if (!followsUploaded) return;
    ownStream.save({ uploadedRow: lastRow });
    takeUploaded({ state, environment });
  }, { durable: false });
  return undefined;
}

/**
 * Without a fork, unknown commits at or below what is sealed are leftovers, and are deleted. The rows of those
 * at or below the last closed segment are gone: they are compared with the bucket first. Commits that could
 * not be read stay as they are. Resolves to what was stored.
 */
async function dropLeftovers(
  context: UploadContext,
  unknown: readonly ObjectName[],
  options: StoreOptions,
): Promise<readonly StoredCommit[]> {
  const { state, state: { ownStream }, objects, environment: { clock } } = context;
  const { stream, closedSeq, sealedSeq } = ownStream.load();
  const read = unknown.filter((name) => !objects.isAbsent(name));
  const below = read.filter(({ first }) => first <= closedSeq);
  if (below.length > 0) {
    const { stored, listed } = await republishConflicts(context, stream, options);
    if (listed.some((name) => objects.isLocked(name))) return stored; // Nobody knows what they hold.
    if (listed.some((name) => objects.isAbsent(name))) {
      for (const name of below) objects.postpone(name); // They were not compared with it.
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
