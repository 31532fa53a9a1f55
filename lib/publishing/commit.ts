/**
 * Commits: the rows of the outbox become objects in the bucket.
 *
 * @module
 */
import type { OnceLog } from "../base/once_log.ts";
import { Buffer } from "node:buffer";
import type { BucketLog } from "../log/bucket_log.ts";
import { updateLine } from "../log/codec.ts";
import type { Environment } from "../base/environment.ts";
import { MAX_INDENTATION, outlineOf } from "../log/json_limits.ts";
import { type ObjectName, objectName, serverOf } from "../log/names.ts";
import { asRow, plus, type Row, rowOf, seqOf } from "../log/positions.ts";
import type { OwnObjects } from "./forks/own_objects.ts";
import type { OutboxRow } from "../state/outbox.ts";
import type { State } from "../state/state.ts";
import type { StoreOptions } from "../stores/store.ts";

/** A commit holds at most so many updates. */
const MAX_COMMIT_UPDATES = 1000;

/** A commit holds at most so many bytes of NDJSON, unless it is one larger update. */
const MAX_COMMIT_BYTES = 1024 * 1024;

/** What the uploader works with. */
export interface UploadContext {
  /** The own state. */
  readonly state: State;
  /** Where to. */
  readonly log: BucketLog;
  /** Time and randomness. */
  readonly environment: Environment;
  /** What this server publishes is applied here, too. */
  readonly includeOwn: boolean;
  /** Reads own objects back. */
  readonly objects: OwnObjects;
  /** Logs what fails for a while without holding up publishing. */
  readonly problems: OnceLog;
  /** Drawn each time a process becomes the uploader, so that two never overwrite each other. */
  readonly writer: string;
}

/** Rows that go into one commit. */
export interface Commit {
  /** Its key and what it says. */
  readonly name: ObjectName;
  /** The updates. */
  readonly rows: readonly OutboxRow[];
  /** Their lines. */
  readonly lines: readonly string[];
  /** What it weighs, see {@linkcode weightOf}. */
  readonly bytes: number;
  /** Which stream its stream continues. */
  readonly continued: Continued;
}

/** A commit that is in the bucket. */
export interface StoredCommit extends Commit {
  /** Its bytes as they are stored. */
  readonly body: Uint8Array;
}

/** What a header says of the stream before. */
interface Continued {
  readonly previous?: string;
  readonly previousLast?: number;
}

/**
 * What JSON counts for where the size of objects is limited: the bytes of its line, or more when indenting
 * adds a great many to it. Else readers would refuse an object of many updates that are fine one by one.
 */
export function weightOf(json: string): number {
  const indentation = outlineOf(json).indentation / MAX_INDENTATION * MAX_COMMIT_BYTES;
  return Math.max(Buffer.byteLength(json) + 1, Math.ceil(indentation));
}

/** Takes the rows that are not known to be uploaded, as many as fit; at least one, if there is one. */
export function nextCommit(context: UploadContext): Commit | undefined {
  const { state, writer } = context;
  const { stream, base, uploadedRow } = state.ownStream.load();
  const queued = state.outbox.rows(plus(uploadedRow, 1), plus(uploadedRow, MAX_COMMIT_UPDATES));
  return firstCommit(queued, { stream, base, writer, continued: continued(context) });
}

/** A commit to `stream` of the first of the rows; the row after `base` has seq 1 there. */
function firstCommit(
  queued: Iterable<OutboxRow>,
  { base, continued, ...part }: {
    stream: string;
    base: Row;
    writer: string;
    continued: Continued;
  },
): Commit | undefined {
  const rows: OutboxRow[] = [], lines: string[] = [];
  let bytes = 0;
  for (const row of queued) {
    const line = updateLine(row, seqOf(row.row, base));
    const size = weightOf(line);
    if (rows.length > 0 && bytes + size > MAX_COMMIT_BYTES) break;
    rows.push(row);
    lines.push(line);
    bytes += size;
  }
  if (rows.length === 0) return undefined;
  const first = seqOf(rows[0].row, base);
  const last = plus(first, rows.length - 1);
  const name = objectName({ kind: "tail", ...part, first, last });
  return { name, rows, lines, bytes, continued };
}

/** Uploads a commit. */
export async function putCommit(
  { log }: UploadContext,
  commit: Commit,
  options: StoreOptions,
): Promise<StoredCommit> {
  const { name, lines, continued } = commit;
  return { ...commit, body: await log.write(name, lines, { ...continued, ...options }) };
}

/** Uploads rows, numbered from 1, to a stream that is new and gets nothing else. */
export async function uploadApart(
  context: UploadContext,
  rows: readonly OutboxRow[],
  { previous, signal }: StoreOptions & { previous: string },
): Promise<StoredCommit[]> {
  const { environment: { random }, writer } = context;
  const stream = `${serverOf(previous)}_${random.token()}`;
  const part = { stream, base: asRow(0), writer, continued: { previous } };
  const stored: StoredCommit[] = [];
  for (let done = 0; done < rows.length;) {
    const commit = firstCommit(rows.slice(done, done + MAX_COMMIT_UPDATES), part)!;
    stored.push(await putCommit(context, commit, { signal }));
    done += commit.rows.length;
  }
  return stored;
}

/** Uploads the rows of the object `name`, read again from the outbox. */
export async function putRows(
  context: UploadContext,
  name: ObjectName,
  options: StoreOptions,
): Promise<void> {
  const { ownStream, outbox } = context.state;
  const { base } = ownStream.load();
  const lines: string[] = [];
  for (const row of outbox.rows(rowOf(name.first, base), rowOf(name.last, base))) {
    lines.push(updateLine(row, seqOf(row.row, base)));
  }
  await context.log.write(name, lines, { ...continued(context), ...options });
}

/** Which stream the current one continues, and how far that one was, up to what is repeated. */
function continued({ state: { ownStream, former } }: UploadContext): Continued {
  const { base, previous } = ownStream.load();
  if (previous === null) return {};
  const before = former.get(previous);
  return { previous, previousLast: before && seqOf(base, before.base) };
}
