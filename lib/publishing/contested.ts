/**
 * Contested seqs: another copy of the state may write to a stream that this one has given up, or
 * just before that. Its updates then stand at the same seqs as others; a reader gets the ones or the
 * others, and nobody may be left who would publish the rest again. So whoever sees it publishes all
 * of them once more, in a stream apart, which everybody reads like any other.
 *
 * @module
 */
import { getLogger } from "@logtape/logtape";
import { rowOf } from "./closed_rows.ts";
import { uploadApart, type UploadContext } from "./commit.ts";
import type { StoredUpdate } from "../codec.ts";
import type { ObjectName } from "../keys.ts";
import { listStream } from "../listing.ts";
import { readAll } from "./read_objects.ts";
import type { FormerStream } from "../state/former_streams.ts";
import type { StoreOptions } from "../stores/store.ts";

const logger = getLogger(["feedsync", "publish"]);

/**
 * The commits of a former stream that have to be looked into: those that hold what was uploaded
 * from here, or what another writer's commit holds, too. A key alone tells which.
 */
export function contestedCommits(
  { state }: Pick<UploadContext, "state">,
  { stream, uploaded }: FormerStream,
  commits: readonly ObjectName[],
): ObjectName[] {
  const listed = commits.filter((commit) => commit.stream === stream);
  return listed.filter((commit) =>
    !state.former.hasSeen(commit) && (commit.first <= uploaded ||
      listed.some((other) => other.writer !== commit.writer && overlap(other, commit)))
  );
}

/** Publishes once more what is contested in former streams; `commits`: their tails, as listed. */
export async function settleContested(
  context: UploadContext,
  commits: readonly ObjectName[],
  options: StoreOptions,
): Promise<void> {
  const { state, environment: { clock } } = context;
  for (const former of state.former.all(clock.now())) {
    const contested = contestedCommits(context, former, commits);
    if (contested.length === 0) continue;
    const updates = await contestedUpdates(context, contested, options);
    if (updates.length > 0) {
      logger.warn(
        "Another copy of the state {path} writes to {stream}, too; {count} updates are published " +
          "again, since not every reader may have got them",
        { path: state.path, stream: former.stream, count: updates.length },
      );
      const rows = updates.map((update, index) => rowOf({ ...update, seq: index + 1 }, 0));
      await uploadApart(context, rows, { previous: former.stream, ...options });
    }
    state.transaction(() => contested.forEach((commit) => state.former.noteSeen(commit)));
  }
}

/**
 * All updates at seqs that mean several, in the objects of the stream around these commits, but for
 * those that are in the current stream anyway.
 */
async function contestedUpdates(
  context: UploadContext,
  commits: readonly ObjectName[],
  options: StoreOptions,
): Promise<StoredUpdate[]> {
  const { store, state } = context;
  const { stream } = commits[0];
  const listAround = async () => {
    const tail = await listStream(store, "tail", stream, options);
    const segments = await listStream(store, "segments", stream, options);
    return [...tail, ...segments].filter((name) => commits.some((commit) => overlap(name, commit)));
  };
  const meanings = new Map<number, Map<string, StoredUpdate>>();
  for await (const { updates } of readAll(context, listAround, options)) {
    if (updates === "corrupt") continue;
    for (const update of updates) {
      const known = meanings.get(update.seq) ?? new Map<string, StoredUpdate>();
      meanings.set(update.seq, known.set(update.id, update));
    }
  }
  const republished = state.publisher.republishedIn(stream);
  return [...meanings.values()].filter(({ size }) => size > 1)
    .flatMap((updates) => [...updates.values()])
    .filter(({ id }) => !republished.has(id));
}

function overlap(one: ObjectName, other: ObjectName): boolean {
  return one.first <= other.last && other.first <= one.last;
}
