/**
 * Commits: rows of the outbox become objects in the bucket.
 *
 * @module
 */
import type { Core } from "../state/core.ts";
import type { OnceLog } from "../base/once_log.ts";
import { Buffer } from "node:buffer";
import { updateLine } from "../log/codec.ts";
import { MAX_INDENTATION_BYTES, outlineOf } from "../log/json_limits.ts";
import { type ObjectName, objectName, serverOf } from "../log/names.ts";
import { asRow, plus, type Row, rowOf, seqOf } from "../log/positions.ts";
import { correctTimes } from "./correct_times.ts";
import type { ReadBackReader } from "./forks/read_back.ts";
import type { KeptCommit, KeptCommits } from "./kept_commits.ts";
import type { OutboxRow } from "../state/outbox.ts";
import type { StoreOptions } from "../stores/store.ts";

const MAX_COMMIT_UPDATES = 1000;

/** Bytes of NDJSON in a commit of several updates; a larger update gets a commit of its own. */
const MAX_COMMIT_BYTES = 1024 * 1024;

/** What a process has while it is the uploader. */
export interface UploadContext extends Core {
  /** Whether this server also applies its own updates. */
  readonly includeOwn: boolean;
  readonly objects: ReadBackReader;
  /** The commits that it has stored. */
  readonly kept: KeptCommits;
  /** Logs problems that do not hold up publishing. */
  readonly problems: OnceLog;
  /** Drawn anew each time a process becomes the uploader, so that two never overwrite each other's objects. */
  readonly writer: string;
}

/** A commit to upload. */
export interface Commit {
  readonly name: ObjectName;
  readonly rows: readonly OutboxRow[];
  /** The lines of the rows. */
  readonly lines: readonly string[];
  /** See {@linkcode weightOf}. */
  readonly bytes: number;
  readonly continued: Continued;
}

/** A commit that is in the bucket. */
export interface StoredCommit extends Commit, KeptCommit {
  /** Its body as it is stored. */
  readonly body: Uint8Array;
}

/** What a header says of the stream that this one continues. */
interface Continued {
  readonly previous?: string;
  readonly previousLast?: number;
}

/**
 * How many bytes a line of JSON counts where objects are limited: its own, or more when indenting would add
 * very many. Otherwise readers would refuse an object of many updates that they accept one by one.
 */
export function weightOf(json: string): number {
  const indentation = outlineOf(json).indentation / MAX_INDENTATION_BYTES * MAX_COMMIT_BYTES;
  return Math.max(Buffer.byteLength(json) + 1, Math.ceil(indentation));
}

/** Makes a commit of the next rows that are not known to be uploaded, as many as fit. */
export function nextCommit(context: UploadContext): Commit | undefined {
  const { state, writer } = context;
  const { stream, base, uploadedRow } = state.ownStream.load();
  const first = plus(uploadedRow, 1), last = plus(uploadedRow, MAX_COMMIT_UPDATES);
  correctTimes(context, first, last);
  const queued = state.outbox.rows(first, last);
  return firstCommit(queued, { stream, base, writer, continued: continued(context) });
}

/** Makes a commit of the first of the rows, as many as fit; the row after `base` gets seq 1. */
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
  const { name, lines, continued } = commit, packed = log.pack(name, lines, continued);
  return { ...commit, packed, body: await log.write(name, packed, options) };
}

/** Uploads rows, numbered from 1, to a new stream that gets nothing else. */
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

/** Uploads the object `name` with rows of the outbox that were uploaded in commits. */
export async function putRows(
  context: UploadContext,
  name: ObjectName,
  options: StoreOptions,
): Promise<void> {
  const { log, kept } = context;
  const packed = kept.packed(name) ??
    log.pack(name, kept.lines(name) ?? queuedLines(context, name), continued(context));
  await log.write(name, packed, options);
}

function queuedLines({ state: { ownStream, outbox } }: UploadContext, name: ObjectName): string[] {
  const { base } = ownStream.load(), lines: string[] = [];
  for (const row of outbox.rows(rowOf(name.first, base), rowOf(name.last, base))) {
    lines.push(updateLine(row, seqOf(row.row, base)));
  }
  return lines;
}

/** Which stream the current one continues, and its last seq that is not published again here. */
function continued({ state: { ownStream, former } }: UploadContext): Continued {
  const { base, previous } = ownStream.load();
  if (previous === null) return {};
  const before = former.get(previous);
  return { previous, previousLast: before && seqOf(base, before.base) };
}
