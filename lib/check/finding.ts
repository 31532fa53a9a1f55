/**
 * What checks find.
 *
 * @module
 */
import { FeedSyncError, messageOf } from "../errors.ts";

/** How good it is. */
export type Level =
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
  readonly level: Level;
  /** What it is, in one sentence. */
  readonly what: string;
  /** What to do. */
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
  const { name } = error, message = messageOf(error);
  const what = error instanceof FeedSyncError ? message : `${message} (${name})`;
  return { level: "error", what, error, ...advice !== undefined && { advice } };
}

/** Something could not be looked at. */
export function unchecked(what: string, why: string): Finding {
  return { level: "unchecked", what: `${what}: not checked, ${why}` };
}
