/**
 * `feedsync publish --ndjson`: publishes many updates, one per line of standard input.
 *
 * @module
 */
import { updateInLine } from "../../api/update_bodies.ts";
import { abortable } from "../../base/deadline.ts";
import { readLines } from "../../base/lines.ts";
import type { FeedSync } from "../../connection.ts";
import { type FeedSyncError, messageOf, StoreUnavailableError } from "../../errors.ts";
import { MAX_UPDATE_BYTES } from "../../log/codec.ts";
import { publishOrQueue } from "../../publish_or_queue.ts";
import { BadInputError } from "../exit.ts";
import { printJson } from "../output.ts";

/** Maximum length of a line: the largest update, in base64. */
const MAX_LINE_BYTES = Math.ceil(MAX_UPDATE_BYTES * 4 / 3) + 64 * 1024;

/** So much input may wait for its receipts. */
const MAX_WAITING_BYTES = 2 * MAX_UPDATE_BYTES;

/** Options of {@linkcode publishLines}. */
export interface PublishLinesOptions {
  /** Publish only what differs from the newest known content. */
  readonly ifChanged: boolean;
  /** Ends the command. */
  readonly signal: AbortSignal;
}

/**
 * Publishes the update of each line, and prints for each, in order, its receipt or its error.
 *
 * @throws {BadInputError} at the end, when lines could not be published.
 * @throws {StoreUnavailableError} at the end, when updates are only queued.
 */
export async function publishLines(
  sync: FeedSync,
  input: ReadableStream<Uint8Array>,
  options: PublishLinesOptions,
): Promise<void> {
  const printer = new ReceiptPrinter(), { signal } = options;
  const lines = readLines(input, { maxBytes: MAX_LINE_BYTES });
  for (let number = 1;; number++) {
    const { done, value } = await abortable(lines.next(), signal).catch((error) => {
      throw error instanceof RangeError ? cannotRead(number, error) : error;
    });
    if (done) break;
    if (value.length === 0) continue;
    printer.add(publishLine(sync, value, { ...options, number }), value.length);
    if (printer.waitingBytes > MAX_WAITING_BYTES) await abortable(printer.printed, signal);
  }
  await abortable(printer.printed, signal);
  const { error } = printer;
  if (error) throw error;
}

function cannotRead(number: number, { message }: Error): BadInputError {
  return new BadInputError(`Cannot read line ${number} of standard input: ${message}`);
}

/** What is printed for a line, and the error of the command that follows from it, if any. */
interface Result {
  readonly printed: object;
  readonly error?: FeedSyncError;
}

async function publishLine(
  sync: FeedSync,
  line: Uint8Array,
  { number, ifChanged, signal }: PublishLinesOptions & { readonly number: number },
): Promise<Result> {
  try {
    const update = updateInLine(line);
    const [receipt] = await publishOrQueue(sync, [update], { ifChanged, signal });
    return receipt.status === "queued"
      ? { printed: receipt, error: new StoreUnavailableError(receipt.reason, { queued: 1 }) }
      : { printed: receipt };
  } catch (thrown) {
    signal.throwIfAborted();
    const { name } = thrown as Error, message = messageOf(thrown);
    return {
      printed: { line: number, error: { name, message } },
      error: new BadInputError("Cannot publish all lines: see the errors between the receipts"),
    };
  }
}

/** Prints in order what becomes of each line. */
class ReceiptPrinter {
  /** Resolves when everything so far is printed. */
  printed: Promise<void> = Promise.resolve();
  /** How much input waits for its receipts. */
  waitingBytes = 0;
  /** The error that weighs most: what was not accepted is lost, what is queued is not. */
  error: FeedSyncError | undefined;

  add(result: Promise<Result>, bytes: number): void {
    this.waitingBytes += bytes;
    this.printed = Promise.all([result, this.printed]).then(async ([{ printed, error }]) => {
      await printJson(printed);
      this.waitingBytes -= bytes;
      if (!(this.error instanceof BadInputError)) this.error = error ?? this.error;
    });
    this.printed.catch(() => {}); // It is awaited later.
  }
}
