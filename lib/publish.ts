/**
 * Publishes updates.
 *
 * @module
 */
import type { Accepted } from "./publishing/accept.ts";
import { type PreparedUpdate, prepareUpdate } from "./publishing/prepare.ts";
import { asRow, type Row } from "./log/positions.ts";
import { connectionOf, type FeedSync, type Parts } from "./connection.ts";
import { UploadedRows } from "./publishing/uploaded_rows.ts";
import type { UpdateInput } from "./update.ts";

/** The result of publishing an update. */
export type Receipt = PublishedReceipt | SkippedReceipt;

/** The receipt for an update that is in the bucket. */
export interface PublishedReceipt {
  /** The update is stored. */
  readonly status: "published";
  /** Normalised URL of the feed, as stored. */
  readonly url: string;
  /** UUID of the update. */
  readonly id: string;
  /** Stream of the update. */
  readonly stream: string;
  /** Position of the update in the stream. */
  readonly seq: number;
  /** Time of the update by the store's clock: ISO 8601 with milliseconds, UTC. */
  readonly time: string;
}

/** The receipt when nothing was published. */
export interface SkippedReceipt {
  /** The content is already the newest known of its URL, or feedsync is disabled. */
  readonly status: "unchanged" | "disabled";
  /** Normalised URL of the feed. */
  readonly url: string;
}

/** Options of {@linkcode publish}. */
export interface PublishOptions {
  /** Stops waiting; an update that was already accepted is still uploaded. */
  readonly signal?: AbortSignal | undefined;
  /** Publish only content that differs from the newest known content of its URL. @default false */
  readonly ifChanged?: boolean | undefined;
}

/**
 * Publishes an update, or several as one transaction, and resolves once they are in the bucket.
 *
 * An update is accepted into the state before anything is sent. A later failure only means a delay:
 * after `StoreUnavailableError` (when `publishTimeout` has passed) and `AccessDeniedError` (when
 * the store refused twice) the update is still queued. In a state file it survives a crash, and the
 * next connection with that state uploads it. Without a state file it is only in memory: if it
 * cannot be uploaded before the connection is closed, it is lost, and closing reports that.
 * Receipts are in the order of the updates.
 *
 * @throws {InvalidUpdateError} when an update cannot be published; then none is accepted.
 * @throws {UpdateConflictError} when an `id` was given to another update; then none is accepted.
 * @throws {StoreUnavailableError} when the store cannot be reached in time.
 * @throws {AccessDeniedError} when the store refuses.
 * @throws {StateError} when the state cannot be written, for example on a full disk.
 * @throws {ClosedError} when the connection is closed, or is closed before the store has the
 * update.
 */
export async function publish(
  sync: FeedSync,
  update: UpdateInput,
  options?: PublishOptions,
): Promise<Receipt>;
/** Publishes several updates as one transaction. */
export async function publish(
  sync: FeedSync,
  updates: readonly UpdateInput[],
  options?: PublishOptions,
): Promise<Receipt[]>;
export async function publish(
  sync: FeedSync,
  updates: UpdateInput | readonly UpdateInput[],
  { signal, ifChanged = false }: PublishOptions = {},
): Promise<Receipt | Receipt[]> {
  signal?.throwIfAborted();
  const connection = connectionOf(sync);
  const { parts, config } = connection;
  const prepared = (isArray(updates) ? updates : [updates])
    .map((update) => prepareUpdate(update, { schemes: config.urlSchemes }));
  const receipts = parts
    ? await connection.keepOpen(
      publishAll(parts, prepared, { signal, ifChanged, timeoutMs: config.publishTimeout }),
    )
    : prepared.map(({ url }): Receipt => ({ status: "disabled", url }));
  return isArray(updates) ? receipts : receipts[0];
}

/**
 * Waits until all accepted updates are in the bucket; not exported from the package.
 *
 * @throws {StoreUnavailableError} when that takes longer than `publishTimeout`.
 */
export async function flush(sync: FeedSync, { signal }: { signal?: AbortSignal }): Promise<void> {
  const connection = connectionOf(sync);
  const { parts, config } = connection;
  if (!parts) return;
  const last = parts.state.outbox.lastRow();
  await connection.keepOpen(
    parts.uploader.whenUploaded(last, { timeoutMs: config.publishTimeout, signal }),
  );
}

/** How an update is published. */
export interface UploadLimit {
  /** How long to wait for the store. */
  readonly timeoutMs: number;
  /** Stops waiting. */
  readonly signal: AbortSignal | undefined;
  /** Leaves out what is known. */
  readonly ifChanged: boolean;
}

async function publishAll(
  parts: Parts,
  updates: readonly PreparedUpdate[],
  { timeoutMs, signal, ifChanged }: UploadLimit,
): Promise<Receipt[]> {
  const { accepted, synced } = await parts.acceptor.accept({ updates, ifChanged });
  const last = lastRow(accepted);
  const receipts = async () => {
    const rows = accepted.filter((item) => item !== undefined).length;
    const stored = last > 0
      ? await parts.uploader.whenUploaded(last, { timeoutMs, signal, rows })
      : [];
    const uploaded = new UploadedRows(parts.state, stored);
    return updates.map(({ url }, index) => receiptOf(url, accepted[index], uploaded));
  };
  const published = receipts();
  published.catch(() => {}); // It is awaited once the rows are synced.
  await synced;
  return await published;
}

/** The last row; 0 when there is none. Those of repeated updates are in any order. */
export function lastRow(accepted: readonly (Accepted | undefined)[]): Row {
  return asRow(accepted.reduce((last, item) => Math.max(last, item?.row ?? 0), 0));
}

/** The receipt for an update that was uploaded; for undefined, it is left out. */
export function receiptOf(
  url: string,
  accepted: Accepted | undefined,
  uploaded: UploadedRows,
): Receipt {
  if (!accepted) return { status: "unchanged", url };
  const { id, row } = accepted, { stream, seq, time = accepted.time } = uploaded.find(row);
  return { status: "published", url, id, stream, seq, time: new Date(time).toISOString() };
}

function isArray(
  updates: UpdateInput | readonly UpdateInput[],
): updates is readonly UpdateInput[] {
  return Array.isArray(updates);
}
