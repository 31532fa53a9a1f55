/**
 * Contested seqs: another copy of the state may write to the same stream, also when this one has given
 * it up already. Its updates then stand at the same seqs as others; a reader gets the ones or the
 * others, and nobody may be left who would publish the rest again. So whoever sees it publishes all
 * of them once more, in a stream apart, which everybody reads like any other.
 *
 * @module
 */
import { getLogger } from "@logtape/logtape";
import { updateBody } from "../accept.ts";
import { type StoredCommit, uploadApart, type UploadContext } from "../commit.ts";
import type { StoredUpdate } from "../../log/codec.ts";
import type { ObjectName } from "../../log/names.ts";
import { asRow } from "../../log/positions.ts";
import { readAll } from "./read_objects.ts";
import { Rivals } from "./overlaps.ts";
import type { FormerStream } from "../../state/former_streams.ts";
import type { OutboxRow } from "../../state/outbox.ts";
import type { StoreOptions } from "../../stores/store.ts";

const logger = getLogger(["feedsync", "publish"]);

/**
 * Whether a listing of a former stream's tail shows something new: commits of a writer that may have
 * written at seqs that were uploaded from here, too, or that overlap another writer's. Keys alone
 * tell.
 */
export function mayBeContested(
  { state: { former }, locked, absent }: Pick<UploadContext, "state" | "locked" | "absent">,
  { stream, uploadedSeq }: FormerStream,
  commits: readonly ObjectName[],
): boolean {
  const listed = commits.filter((commit) => commit.stream === stream);
  const rivals = new Rivals(listed);
  return listed.some((commit) =>
    !former.hasSeen(commit) && !locked.has(commit) && absent.isDue(commit) &&
    (!former.hasSeenBeyond(uploadedSeq, commit) || rivals.of(commit))
  );
}

/**
 * Publishes once more what is contested in former streams, whose tails listings showed to be `commits`;
 * resolves to what was stored.
 */
export async function settleContested(
  context: UploadContext,
  commits: readonly ObjectName[],
  options: StoreOptions,
): Promise<StoredCommit[]> {
  const { state, locked, absent, environment: { clock } } = context;
  const all: StoredCommit[] = [];
  for (const former of state.former.all(clock.now())) {
    if (!mayBeContested(context, former, commits)) continue;
    const { stored, listed } = await publishContested(context, former.stream, options);
    all.push(...stored);
    const seen = listed.filter((name) => !locked.has(name) && !absent.has(name));
    state.transaction(() => seen.forEach((name) => state.former.noteSeen(name)));
  }
  return all;
}

/**
 * Publishes once more what is contested in an own stream; resolves to what was stored, and which objects
 * of the stream were considered.
 */
export async function publishContested(
  context: UploadContext,
  stream: string,
  options: StoreOptions,
): Promise<{ stored: readonly StoredCommit[]; listed: readonly ObjectName[] }> {
  const { state } = context;
  let stored: StoredCommit[] = [];
  const { updates, listed } = await contestedUpdates(context, stream, options);
  if (updates.length > 0) {
    logger.warn(
      "Another copy of the state {path} writes to {stream}, too; {count} updates are published " +
        "again, since not every reader may have got them",
      { path: state.path, stream, count: updates.length },
    );
    const rows = updates.map((update, index) => rowOf(update, index + 1));
    stored = await uploadApart(context, rows, { previous: stream, ...options });
  }
  if (listed.some((name) => context.locked.has(name))) {
    state.transaction(() => listed.forEach((name) => state.former.noteUndecided(name)));
  }
  return { stored, listed };
}

function rowOf({ id, url, time, metadata, ...content }: StoredUpdate, row: number): OutboxRow {
  return {
    row: asRow(row),
    id,
    url,
    time: Date.parse(time),
    body: updateBody({ ...content, metadata }),
  };
}

/**
 * The updates of a stream at seqs that mean several, but for those that are in the current stream
 * anyway; and the objects that were listed. Only those have to be read that overlap another
 * writer's, unless both were seen before. What cannot be read for lack of a key is taken to hold
 * other updates, which readers may get that have the key; but not again with each look.
 */
async function contestedUpdates(
  context: UploadContext,
  stream: string,
  options: StoreOptions,
): Promise<{ updates: StoredUpdate[]; listed: readonly ObjectName[] }> {
  const { log, state: { ownStream, former }, locked } = context;
  const listed = new Map<string, ObjectName>();
  const listRivals = async () => {
    const tail = await log.listStream("tail", stream, options);
    const segments = await log.listStream("segments", stream, options);
    const names = [...tail, ...segments];
    for (const name of names) listed.set(name.key, name);
    const news = new Set(names.filter((name) => !former.hasSeen(name)));
    const [rivals, newRivals] = [new Rivals(names), new Rivals([...news])];
    return names.filter((name) => (news.has(name) ? rivals : newRivals).of(name));
  };
  const meanings = new Map<number, Map<string, StoredUpdate>>();
  const news = new Set<StoredUpdate>();
  for await (const { name, updates } of readAll(context, listRivals, options)) {
    for (const update of updates) {
      if (!former.wasUndecided(name)) news.add(update);
      const known = meanings.get(update.seq) ?? new Map<string, StoredUpdate>();
      meanings.set(update.seq, known.set(update.id, update));
    }
  }
  const republished = ownStream.republishedIn(stream);
  const unknown = [...listed.values()].filter((name) => locked.has(name));
  const mayBeHidden = (update: StoredUpdate) =>
    unknown.some((name) =>
      name.first <= update.seq && update.seq <= name.last &&
      (news.has(update) || !former.wasUndecided(name))
    );
  const updates = [...meanings.values()].flatMap((versions) => [...versions.values()])
    .filter((update) => meanings.get(update.seq)!.size > 1 || mayBeHidden(update))
    .filter(({ id }) => !republished.has(id));
  return { updates, listed: [...listed.values()] };
}
