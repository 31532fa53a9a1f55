/**
 * What is published once more. Copies of a state may write to one stream, even after this one has given it up.
 * Then a seq has several updates, a reader gets one of them, and perhaps no copy is left to publish the
 * others again. So whoever sees such a conflict publishes all of its updates in a new stream, which everybody
 * reads like any other.
 *
 * @module
 */
import { getLogger } from "@logtape/logtape";
import { type StoredUpdate, updateBody } from "../../log/codec.ts";
import type { ObjectName } from "../../log/names.ts";
import { Overlaps } from "../../log/overlaps.ts";
import { asRow, type Seq } from "../../log/positions.ts";
import type { FormerStream, FormerStreams } from "../../state/former_streams.ts";
import type { OutboxRow } from "../../state/outbox.ts";
import type { StoreOptions } from "../../stores/store.ts";
import { type StoredCommit, uploadApart, type UploadContext } from "../commit.ts";

const logger = getLogger(["feedsync", "publish"]);

/**
 * Whether the listed `commits` of a former stream show something new, as far as keys tell: an object of
 * another writer that overlaps, or whose writer may have used seqs that were uploaded from here.
 */
export function mayConflict(
  { state: { former }, objects }: Pick<UploadContext, "state" | "objects">,
  { stream, uploadedSeq }: FormerStream,
  commits: readonly ObjectName[],
): boolean {
  const listed = commits.filter((commit) => commit.stream === stream);
  const overlaps = new Overlaps(listed);
  return listed.some((commit) =>
    !former.hasSeen(commit) && !objects.isLocked(commit) && objects.isDue(commit) &&
    (!former.hasSeenBeyond(uploadedSeq, commit) || overlaps.has(commit))
  );
}

/** Publishes once more what conflicts in former streams, given the listed `commits` of their tails. */
export async function republishFormer(
  context: UploadContext,
  commits: readonly ObjectName[],
  options: StoreOptions,
): Promise<StoredCommit[]> {
  const { state, objects, environment: { clock } } = context;
  const all: StoredCommit[] = [];
  for (const former of state.former.all(clock.now())) {
    if (!mayConflict(context, former, commits)) continue;
    const { stored, listed } = await republishConflicts(context, former.stream, options);
    all.push(...stored);
    const seen = listed.filter((name) => !objects.isLocked(name) && !objects.isAbsent(name));
    state.transaction(() => seen.forEach((name) => state.former.noteSeen(name)));
  }
  return all;
}

/** Publishes once more what conflicts in an own stream; resolves also to the objects that were listed. */
export async function republishConflicts(
  context: UploadContext,
  stream: string,
  options: StoreOptions,
): Promise<{ stored: readonly StoredCommit[]; listed: readonly ObjectName[] }> {
  const { state, objects } = context;
  let stored: StoredCommit[] = [];
  const { updates, listed } = await conflictingUpdates(context, stream, options);
  if (updates.length > 0) {
    logger.warn(
      "Another copy of the state {path} also writes to {stream}; {count} updates are published again, " +
        "because some readers may lack them",
      { path: state.path, stream, count: updates.length },
    );
    const rows = updates.map((update, index) => outboxRow(update, index + 1));
    stored = await uploadApart(context, rows, { previous: stream, ...options });
  }
  if (listed.some((name) => objects.isLocked(name))) {
    state.transaction(() => listed.forEach((name) => state.former.noteUndecided(name)));
  }
  return { stored, listed };
}

function outboxRow({ id, url, time, metadata, ...content }: StoredUpdate, row: number): OutboxRow {
  const body = updateBody({ ...content, metadata });
  return { row: asRow(row), id, url, time: Date.parse(time), body };
}

/**
 * The updates of a stream at seqs that have several, except for those that are in the current stream anyway;
 * and the objects that were listed. An object that this server has no key for is taken to hold other updates,
 * which readers with the key may get: once, not with each check.
 */
async function conflictingUpdates(
  context: UploadContext,
  stream: string,
  options: StoreOptions,
): Promise<{ updates: StoredUpdate[]; listed: readonly ObjectName[] }> {
  const { state: { ownStream, former }, objects } = context;
  const listed = new Map<string, ObjectName>();
  const list = async () => {
    const names = await listObjects(context, stream, options);
    for (const name of names) listed.set(name.key, name);
    return withNewOverlaps(names, former);
  };
  const versions = new Map<Seq, Map<string, StoredUpdate>>();
  const news = new Set<StoredUpdate>();
  for await (const { name, updates } of objects.readAll(list, options)) {
    for (const update of updates) {
      if (!former.wasUndecided(name)) news.add(update);
      const known = versions.get(update.seq) ?? new Map<string, StoredUpdate>();
      versions.set(update.seq, known.set(update.id, update));
    }
  }
  const locked = [...listed.values()].filter((name) => objects.isLocked(name));
  const mayBeHidden = (update: StoredUpdate) =>
    locked.some((name) =>
      name.first <= update.seq && update.seq <= name.last &&
      (news.has(update) || !former.wasUndecided(name))
    );
  const republished = ownStream.republishedIn(stream);
  const updates = [...versions.values()].flatMap((byId) => [...byId.values()])
    .filter((update) => versions.get(update.seq)!.size > 1 || mayBeHidden(update))
    .filter(({ id }) => !republished.has(id));
  return { updates, listed: [...listed.values()] };
}

async function listObjects(
  { log }: UploadContext,
  stream: string,
  options: StoreOptions,
): Promise<readonly ObjectName[]> {
  const tail = await log.listStream("tail", stream, options);
  const segments = await log.listStream("segments", stream, options);
  return [...tail, ...segments];
}

/** Those that overlap another writer's, unless both were seen before: only they have to be read. */
function withNewOverlaps(names: readonly ObjectName[], former: FormerStreams): ObjectName[] {
  const news = new Set(names.filter((name) => !former.hasSeen(name)));
  const all = new Overlaps(names), withNews = new Overlaps([...news]);
  return names.filter((name) => (news.has(name) ? all : withNews).has(name));
}
