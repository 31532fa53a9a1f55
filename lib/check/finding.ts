/**
 * What checks find.
 *
 * @module
 */
import { FeedSyncError, messageOf } from "../errors.ts";

/** How good something is. */
export type FindingLevel =
  /** It is right. */
  | "ok"
  /** It is doubtful: it works, but perhaps not as it was meant. */
  | "warning"
  /** It is wrong. */
  | "error"
  /** It could not be looked at, since something else is wrong. */
  | "unchecked";

/** Something that a check found. */
export interface Finding {
  /** How good it is. */
  readonly level: FindingLevel;
  /** What it is: a sentence, or the subject that was not looked at. */
  readonly what: string;
  /** What to do, or why it was not looked at. */
  readonly advice?: string;
  /** The error that using it leads to. */
  readonly error?: Error;
}

/** Something is right. */
export function ok(what: string): Finding {
  return { level: "ok", what };
}

/** Something is doubtful. */
export function warning(what: string, advice: string): Finding {
  return { level: "warning", what, advice };
}

/** Something is wrong; the error says what, and mostly what to do. */
export function wrong(error: Error, advice?: string): Finding {
  const message = messageOf(error);
  const what = error instanceof FeedSyncError ? message : `${message} (${error.name})`;
  return { level: "error", what, error, ...advice !== undefined && { advice } };
}

/** Something was not looked at, and why. */
export function unchecked(what: string, why: string): Finding {
  return { level: "unchecked", what, advice: why };
}
