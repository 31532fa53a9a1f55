/**
 * The errors of consumers that a caller may want to catch.
 *
 * @module
 */
import { FeedSyncError } from "../errors.ts";

/** There is no consumer with this name: it was never made, deleted, or forgotten. */
export class UnknownConsumerError extends FeedSyncError {
  /** Name of the error. */
  override name = "UnknownConsumerError";
}

/** There are too many consumers. */
export class TooManyConsumersError extends FeedSyncError {
  /** Name of the error. */
  override name = "TooManyConsumersError";
}

/** A younger reader of the same consumer has taken the place of this one. */
export class ReaderReplacedError extends FeedSyncError {
  /** Name of the error. */
  override name = "ReaderReplacedError";
}

/** A cursor is malformed, or beyond what was delivered. */
export class InvalidCursorError extends FeedSyncError {
  /** Name of the error. */
  override name = "InvalidCursorError";
}

/**
 * A cursor belongs to another epoch of the inbox: the state was restored from a backup, or is new.
 * Nothing was acknowledged.
 */
export class ExpiredCursorError extends FeedSyncError {
  /** Name of the error. */
  override name = "ExpiredCursorError";
  /** The last acknowledged cursor: reading goes on behind it. */
  readonly cursor: string;

  /** Makes the error; `cursor` is the last acknowledged one. */
  constructor(message: string, options: ErrorOptions & { readonly cursor: string }) {
    super(message, options);
    this.cursor = options.cursor;
  }
}
