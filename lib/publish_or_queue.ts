/**
 * Publishes updates for who asks later what became of them.
 *
 * @module
 */
import { type Accepted, acceptedBefore } from "./publishing/accept.ts";
import { type PreparedUpdate, prepareUpdate } from "./publishing/prepare.ts";
import { connectionOf, type FeedSync, type Parts } from "./connection.ts";
import { InvalidUpdateError, messageOf } from "./errors.ts";
import {
  lastRow,
  type PublishOptions,
  type Receipt,
  receiptOf,
  type UploadLimit,
} from "./publish.ts";
import { describeQueue } from "./publishing/waiters.ts";
import { UploadedRows } from "./publishing/uploaded_rows.ts";
import type { UpdateInput } from "./update.ts";

/** The receipt for an update that is safe in the state, and not in the bucket yet. */
export interface QueuedReceipt {
  /** The update waits for its upload. */
  readonly status: "queued";
  /** Normalised URL of the feed. */
  readonly url: string;
  /** UUID of the update. */
  readonly id: string;
  /** Time of the update: ISO 8601 with milliseconds, UTC. */
  readonly time: string;
  /** Why it is not stored yet. */
  readonly reason: string;
}

/** Options of {@linkcode publishOrQueue}. */
export interface QueueOptions extends PublishOptions {
  /** How long to wait for the store. @default `publishTimeout` */
  readonly waitMs?: number | undefined;
  /** Ends the waiting, and not the call. */
  readonly stopWaiting?: AbortSignal | undefined;
  /** Where an update comes from, for errors. */
  readonly placeOf?: ((index: number) => string) | undefined;
}

/**
 * {@linkcode publish} for those who can ask later: whatever the store says, each accepted update has
 * a receipt. Not exported from the package.
 *
 * @throws {InvalidUpdateError | UpdateConflictError | StateError} when no update is accepted.
 * @throws {ClosedError} when the connection is closed.
 */
export async function publishOrQueue(
  sync: FeedSync,
  updates: readonly UpdateInput[],
  options: QueueOptions = {},
): Promise<(Receipt | QueuedReceipt)[]> {
  const connection = connectionOf(sync), { parts, config } = connection;
  const { signal, ifChanged = false, waitMs = config.publishTimeout, stopWaiting } = options;
  const prepared = updates.map((update, index) =>
    prepareAt(update, { schemes: config.urlSchemes, place: options.placeOf?.(index) })
  );
  if (!parts) return prepared.map(({ url }): Receipt => ({ status: "disabled", url }));
  const limit = { timeoutMs: waitMs, signal: either(signal, stopWaiting) };
  return await connection.keepOpen(queueAll(parts, prepared, { ...limit, ifChanged }));
}

/** What became of an update, by the `id` that its publisher gave it, or its UUID. */
export function receiptById(sync: FeedSync, id: string): Receipt | QueuedReceipt | undefined {
  const { parts } = connectionOf(sync);
  if (!parts) return undefined;
  const { publications, outbox } = parts.state, uploaded = new UploadedRows(parts.state);
  const known = publications.find(id);
  if (known) return receiptNow(parts, known.url, { accepted: acceptedBefore(known), uploaded });
  const queued = outbox.find(id);
  return queued && receiptNow(parts, queued.url, { accepted: queued, uploaded });
}

async function queueAll(
  parts: Parts,
  updates: readonly PreparedUpdate[],
  { timeoutMs, signal, ifChanged }: UploadLimit,
): Promise<(Receipt | QueuedReceipt)[]> {
  const { acceptor, uploader } = parts;
  const { accepted, synced } = await acceptor.accept({ updates, ifChanged });
  const last = lastRow(accepted);
  if (last > 0) uploader.start();
  const waiting = last > 0 && timeoutMs > 0
    ? uploader.whenUploaded(last, { timeoutMs, signal, rows: accepted.filter(Boolean).length })
    : undefined;
  let reason: string | undefined;
  const [stored] = await Promise.all([
    waiting?.catch((error) => void (reason = messageOf(error))),
    synced,
  ]);
  const uploaded = new UploadedRows(parts.state, stored ?? []);
  const receipts = updates.map(({ url }, index) =>
    receiptNow(parts, url, { accepted: accepted[index], uploaded, reason })
  );
  const queued = receipts.flatMap(({ status }, index) =>
    status === "queued" ? [[updates[index], accepted[index]!] as const] : []
  );
  if (queued.length > 0) acceptor.remember(queued);
  return receipts;
}

/** The receipt for an update as things are now; `reason` says why it may not be stored. */
function receiptNow(
  parts: Parts,
  url: string,
  { accepted, uploaded, reason }: {
    readonly accepted: Accepted | undefined;
    readonly uploaded: UploadedRows;
    readonly reason?: string | undefined;
  },
): Receipt | QueuedReceipt {
  if (!accepted || accepted.row <= uploaded.own.uploadedRow) {
    return receiptOf(url, accepted, uploaded);
  }
  const { state, uploader } = parts;
  const { id, time } = accepted, { lastError } = uploader;
  const why = reason ??
    (lastError === undefined
      ? `The store has not answered yet (${describeQueue(state)})`
      : messageOf(lastError));
  return { status: "queued", url, id, time: new Date(time).toISOString(), reason: why };
}

/** {@linkcode prepareUpdate}, with the place in its error. */
function prepareAt(
  update: UpdateInput,
  { schemes, place }: { readonly schemes: readonly string[]; readonly place: string | undefined },
): PreparedUpdate {
  try {
    return prepareUpdate(update, { schemes });
  } catch (error) {
    if (place === undefined || !(error instanceof InvalidUpdateError)) throw error;
    throw new InvalidUpdateError(`${place}: ${error.message}`, { cause: error });
  }
}

function either(...signals: readonly (AbortSignal | undefined)[]): AbortSignal | undefined {
  const given = signals.filter((signal) => signal !== undefined);
  return given.length > 1 ? AbortSignal.any(given) : given[0];
}
