/**
 * Where uploaded rows are.
 *
 * @module
 */
import { plus, type Row, type Seq } from "../log/positions.ts";
import type { StreamState } from "../state/own_stream.ts";
import type { State } from "../state/state.ts";
import type { StoredCommit } from "./commit.ts";

/** Where a row is, and its time. */
export interface UploadedRow {
  readonly stream: string;
  readonly seq: Seq;
  /** Milliseconds since 1970; undefined when the row was dropped: it was not corrected. */
  readonly time: number | undefined;
}

/** Consecutive rows that were just stored. */
export interface StoredRows {
  readonly stream: string;
  readonly firstRow: Row;
  readonly firstSeq: Seq;
  /** The times of the rows, in milliseconds since 1970. */
  readonly times: readonly number[];
}

/** The rows of a commit. */
export function storedRows({ name: { stream, first }, rows }: StoredCommit): StoredRows {
  return { stream, firstRow: rows[0].row, firstSeq: first, times: rows.map(({ time }) => time) };
}

/** Finds uploaded rows: among those that were just stored, or else in the state. */
export class UploadedRows {
  readonly #state: State;
  readonly #stored: readonly StoredRows[];
  #own: StreamState | undefined;

  /** Looks into `stored` first. */
  constructor(state: State, stored: readonly StoredRows[] = []) {
    this.#state = state;
    this.#stored = stored;
  }

  /** The own stream, as it is when it is first asked for. */
  get own(): StreamState {
    return this.#own ??= this.#state.ownStream.load();
  }

  /** Where the row is. */
  find(row: Row): UploadedRow {
    for (const { stream, firstRow, firstSeq, times } of this.#stored) {
      const index = row - firstRow;
      if (index < 0 || index >= times.length) continue;
      return { stream, seq: plus(firstSeq, index), time: times[index] };
    }
    return { ...this.#state.placeOf(row, this.own), time: this.#state.outbox.timeOf(row) };
  }
}
