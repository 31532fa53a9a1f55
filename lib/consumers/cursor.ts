/**
 * Cursors: opaque short texts that say how far a consumer is, and in which epoch of the inbox.
 *
 * @module
 */
import type { Position } from "../state/consumers.ts";
import { InvalidCursorError } from "./errors.ts";

/** What a cursor says. */
export interface Cursor extends Position {
  /** The epoch of the position. */
  readonly epoch: string;
}

const FORM = /^([a-z2-7]{8})-([0-9a-z]{1,11})(?:-([0-9a-z]{1,11}))?$/;

/** Makes the text of a cursor. */
export function cursorText({ epoch, row, number }: Cursor): string {
  const behind = number === 0 ? "" : `-${number.toString(36)}`;
  return `${epoch}-${row.toString(36)}${behind}`;
}

/**
 * Reads the text of a cursor.
 *
 * @throws {InvalidCursorError} when it is malformed.
 */
export function parseCursor(text: unknown): Cursor {
  const match = typeof text === "string" && FORM.exec(text);
  if (!match) {
    throw new InvalidCursorError(
      "Cannot use this cursor: it is malformed; give one that came with a line, unchanged",
    );
  }
  const [, epoch, row, number = "0"] = match;
  const cursor = { epoch, row: parseInt(row, 36), number: parseInt(number, 36) };
  if (Number.isSafeInteger(cursor.row) && Number.isSafeInteger(cursor.number)) return cursor;
  throw new InvalidCursorError("Cannot use this cursor: its numbers are too large");
}
