/**
 * The public interface of a watcher.
 *
 * @module
 */
import type { Duration } from "../base/duration.ts";
import type { UnreadableError } from "../errors.ts";
import type { Gap } from "../update.ts";
import type { FailedUpdate } from "./receivers.ts";

/** Options of {@linkcode watch}. */
export interface WatchOptions {
  /** Stops the watcher gracefully, as {@linkcode Watcher.close} does. */
  readonly signal?: AbortSignal | undefined;
  /**
   * Called for updates that were lost before they were read. Gaps are always logged and passed to
   * plugins, too.
   */
  readonly onGap?: ((gap: Gap) => void | Promise<void>) | undefined;
  /**
   * Called for each update that the callback or a plugin could not apply, once it is stored as a
   * dead letter. Errors that it throws are logged and otherwise ignored.
   */
  readonly onDeadLetter?: ((failed: FailedUpdate) => void | Promise<void>) | undefined;
  /**
   * Called synchronously with the progress of restoring: at the start, and after each feed. Errors
   * that it throws are logged and otherwise ignored.
   */
  readonly onProgress?: ((progress: RestoreProgress) => void) | undefined;
  /** Poll only when {@linkcode Watcher.poll} is called, and never clean up. @default false */
  readonly manual?: boolean | undefined;
  /**
   * How long to wait for a plugin that cannot be set up, reach its backend, or apply anything.
   * After that {@linkcode Watcher.poll} rejects, and a later poll delivers the missing updates.
   * `false`: wait without limit. @default `callbackTimeout` for a manual watcher, else `false`
   */
  readonly outagePatience?: Duration | false | undefined;
}

/** The progress of restoring: of delivering the newest update of each feed that is missing here. */
export interface RestoreProgress {
  /** Number of feeds processed. */
  readonly restored: number;
  /** Number of feeds to restore. */
  readonly total: number;
}

/** The result of {@linkcode restore}. */
export interface RestoreReport {
  /** Number of updates that all plugins applied. */
  readonly restored: number;
  /** Number of updates that a plugin could not apply: each is kept as a dead letter. */
  readonly failed: number;
  /** Requested URLs for which the bucket holds no update. */
  readonly unknown: readonly string[];
  /** Errors of unreadable objects: an older update of their feeds was restored, or none. */
  readonly unreadable: readonly UnreadableError[];
}

/** The result of a poll. */
export interface PollReport {
  /** Number of updates that all plugins applied. */
  readonly applied: number;
  /** Number of these that were restored, because the log no longer holds them. */
  readonly restored: number;
  /** Number of updates that a plugin could not apply: each is kept as a dead letter. */
  readonly failed: number;
  /** Number of gaps reported. */
  readonly gaps: number;
  /**
   * Errors of the objects that hold up their streams: they are damaged, their key is missing, they
   * need a newer version, or the store lists but does not return them. Everything else is applied.
   */
  readonly unreadable: readonly UnreadableError[];
}

/** A running watcher. Close it, or bind it with `await using`. */
export interface Watcher extends AsyncDisposable {
  /**
   * Resolves when the plugins are set up and the watcher listens for peers; rejects when that
   * fails. If a plugin cannot be set up because its backend is away, that is retried, see
   * {@linkcode WatchOptions.outagePatience}.
   */
  readonly ready: Promise<void>;
  /**
   * Resolves when the watcher was stopped; rejects with the error that ended it. A store that
   * cannot be reached does not end it. A store that refuses twice before the first successful poll
   * does.
   */
  readonly finished: Promise<void>;
  /**
   * Resolves when everything that was in the bucket at the start is applied: the log, and the
   * newest update of each feed. Rejects when the watcher ends before that.
   */
  readonly complete: Promise<void>;
  /**
   * Polls now, and resolves when everything that was in the bucket by then is applied.
   * Also restores, if that is due.
   *
   * @throws {BackendUnavailableError} when a plugin cannot reach its backend for `outagePatience`.
   * @throws {FeedSyncError} when a plugin fails for every update for `outagePatience`.
   * @throws {StoreUnavailableError} when the store cannot be reached.
   * @throws {AccessDeniedError} when the store refuses.
   * @throws {ClosedError} when the watcher is closed, or is closed meanwhile.
   */
  poll(): Promise<PollReport>;
  /** Lets running callbacks finish (up to `stopTimeout`), stores the cursors and stops. */
  close(): Promise<void>;
}
