/**
 * Exit codes and error messages of the command line.
 *
 * @module
 */
import {
  AccessDeniedError,
  BackendUnavailableError,
  ConfigError,
  CorruptObjectError,
  FeedSyncError,
  InvalidUpdateError,
  messageOf,
  MissingKeyError,
  MissingObjectError,
  StateError,
  StoreUnavailableError,
  UnsupportedFormatError,
  UpdateConflictError,
  UpdatesLostError,
} from "../errors.ts";
import { printable } from "../base/printable.ts";
import { cutDownUrls } from "../base/redact.ts";

/** The command line was used wrongly. */
export class UsageError extends Error {
  /** Name of the error. */
  override name = "UsageError";
}

/** The input does not exist, or is not valid. */
export class BadInputError extends FeedSyncError {
  /** Name of the error. */
  override name = "BadInputError";
}

/** A signal asked the process to end. */
export class Interrupted extends Error {
  /** Name of the error. */
  override name = "Interrupted";
  /** The signal. */
  readonly signal: Deno.Signal;

  /** Makes the error for `signal`. */
  constructor(signal: Deno.Signal) {
    super(`Stopped by ${signal}`);
    this.signal = signal;
  }
}

/** The error for updates that plugins could not apply: there are `count` new dead letters. */
export function deadLettersError(doing: "apply" | "restore", count: number): FeedSyncError {
  const what = count === 1
    ? "1 update, kept as a dead letter"
    : `${count} updates, kept as dead letters`;
  return new FeedSyncError(`Cannot ${doing} ${what}: see \`feedsync dead-letters list\``);
}

/** The error for updates that were lost before this server has read them: in `count` gaps. */
export function gapsError(count: number): FeedSyncError {
  const what = count === 1 ? "1 gap" : `${count} gaps`;
  return new FeedSyncError(
    `Cannot apply everything, updates are lost in ${what}: see the log, and 'A gap' in ` +
      "docs/troubleshooting.md",
  );
}

const SIGNAL_NUMBERS: Partial<Record<Deno.Signal, number>> = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 };

const BAD_INPUT = [BadInputError, InvalidUpdateError, UpdateConflictError, CorruptObjectError];
const CONFIGURATION = [ConfigError, StateError, MissingKeyError, UnsupportedFormatError];

/**
 * The exit code for an error, from `sysexits.h` if one fits; 1 for what else feedsync expects and
 * only a person can mend, 70 for a failure that it does not expect.
 */
export function exitCodeOf(thrown: unknown): number {
  const error = worstOf(thrown);
  if (error instanceof UpdatesLostError) return error.cause ? exitCodeOf(error.cause) : 69;
  if (error instanceof Interrupted) return 128 + SIGNAL_NUMBERS[error.signal]!;
  if (error instanceof Deno.errors.BrokenPipe) return 0;
  if (error instanceof UsageError) return 64;
  if (BAD_INPUT.some((kind) => error instanceof kind)) return 65;
  if (error instanceof StoreUnavailableError) return error.queued > 0 ? 75 : 69;
  if (error instanceof MissingObjectError || error instanceof BackendUnavailableError) return 69;
  if (error instanceof AccessDeniedError) return 77;
  if (CONFIGURATION.some((kind) => error instanceof kind)) return 78;
  return error instanceof FeedSyncError ? 1 : 70;
}

/** Writes an error to standard error, unless the command was stopped on purpose. */
export function reportError(
  thrown: unknown,
  { json, verbose }: { readonly json: boolean; readonly verbose: boolean },
): void {
  const error = worstOf(thrown);
  if (error instanceof Interrupted || error instanceof Deno.errors.BrokenPipe) return;
  const name = error instanceof Error ? error.name : "Error";
  const message = messageOf(error);
  const details = verbose ? inspected(error) : undefined;
  if (json) return console.error(printable(recordOf(message, { name, details })));
  const expected = error instanceof FeedSyncError || error instanceof UsageError;
  console.error(printable(`error: ${expected ? message : `${message} (${name})`}`));
  if (details) console.error(details.split("\n").map(printable).join("\n"));
  else if (!expected) console.error("Run it again with -v for details");
}

/** A line of the log in the form of `formatJson`, which would load the logger at every start. */
function recordOf(message: string, properties: Readonly<Record<string, unknown>>): string {
  const head = { "@timestamp": new Date().toISOString(), level: "ERROR" };
  return JSON.stringify({ ...head, message, logger: "feedsync", properties });
}

/** The error with its stack and causes, without secrets in URLs. */
function inspected(error: unknown): string {
  try {
    return cutDownUrls(Deno.inspect(error));
  } catch {
    return "The error cannot be shown";
  }
}

/** Selects the error to report if closing failed as well: lost updates, else the first error. */
function worstOf(error: unknown): unknown {
  if (!(error instanceof SuppressedError)) return error;
  return error.error instanceof UpdatesLostError ? error.error : worstOf(error.suppressed);
}
