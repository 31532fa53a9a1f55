/**
 * What cursors mean for a consumer: whether they are its own, and what is acknowledged by them.
 *
 * @module
 */
import { comparePositions, type ConsumerRow, type Position } from "../state/consumers.ts";
import type { State } from "../state/state.ts";
import { cursorText, parseCursor } from "./cursor.ts";
import { ExpiredCursorError, InvalidCursorError } from "./errors.ts";

/** Positions of one consumer. */
export class Positions {
  readonly #state: State;
  readonly #consumer: ConsumerRow;

  /** Positions of `consumer`, as it is now. */
  constructor(state: State, consumer: ConsumerRow) {
    this.#state = state;
    this.#consumer = consumer;
  }

  /** The text of a position of this consumer. */
  textOf(position: Position): string {
    return cursorText({ ...position, epoch: this.#epochOf(position) ?? "aaaaaaaa" });
  }

  /** The text of the acknowledged position. */
  get acknowledged(): string {
    return this.textOf(this.#consumer);
  }

  /**
   * Reads a cursor; returns the acknowledged position instead of an older one. `delivered` is the
   * furthest position that this process has handed out.
   *
   * @throws {InvalidCursorError} when it is malformed, or beyond what was delivered.
   * @throws {ExpiredCursorError} when it belongs to another epoch.
   */
  check(text: unknown, delivered: Position | undefined): Position {
    const { inbox } = this.#state, cursor = parseCursor(text);
    const epoch = this.#epochOf(cursor);
    const isOlder = comparePositions(cursor, this.#consumer) <= 0;
    // The numbers of feeds that are acknowledged are forgotten.
    if (isOlder && (epoch === undefined || epoch === cursor.epoch)) return this.#consumer;
    if (epoch !== cursor.epoch) throw this.#expired();
    if (epoch !== inbox.ownEpoch()) {
      // Rows of former processes were handed out, unless this state does not have them any more.
      if (cursor.row > inbox.lastRow()) throw this.#expired();
    } else if (comparePositions(cursor, delivered ?? this.#consumer) > 0) throw this.#beyond();
    return { row: cursor.row, number: cursor.number };
  }

  /**
   * Reads a cursor from which reading can go on, acknowledged or not.
   *
   * @throws {InvalidCursorError} when it is malformed, or beyond the last line.
   * @throws {ExpiredCursorError} when it belongs to another epoch, or what follows it is dropped.
   */
  find(text: unknown): Position {
    const { inbox } = this.#state, { epoch, ...position } = parseCursor(text);
    if (position.row > inbox.lastRow()) throw this.#beyond();
    const isKept = position.row + 1 >= inbox.firstRow();
    if (!isKept || this.#epochOf(position) !== epoch) throw this.#expired();
    return position;
  }

  #epochOf(position: Position): string | undefined {
    const { inbox, walks } = this.#state, { name } = this.#consumer;
    return position.number === 0 ? inbox.epochAt(position.row) : walks.epochOf(name, position);
  }

  #expired(): ExpiredCursorError {
    return new ExpiredCursorError(
      `Cannot use this cursor of ${this.#consumer.name}: it belongs to another epoch of the inbox ` +
        "(the state is new, or was restored from a backup), or what follows it is no longer kept; " +
        `read without 'after': that goes on behind ${this.acknowledged}`,
      { cursor: this.acknowledged },
    );
  }

  #beyond(): InvalidCursorError {
    return new InvalidCursorError(
      `Cannot use this cursor of ${this.#consumer.name}: it is beyond what was delivered; use the ` +
        "cursor of a line that was read",
    );
  }
}
