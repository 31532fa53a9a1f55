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

/** Finds uploaded rows: in the commit that was just stored, or else in the state. */
export class UploadedRows {
  readonly #state: State;
  readonly #commit: StoredCommit | undefined;
  #own: StreamState | undefined;

  /** Looks into `commit` first. */
  constructor(state: State, commit?: StoredCommit) {
    this.#state = state;
    this.#commit = commit;
  }

  /** The own stream, as it is when it is first asked for. */
  get own(): StreamState {
    return this.#own ??= this.#state.ownStream.load();
  }

  /** Where the row is. */
  find(row: Row): UploadedRow {
    const { rows = [], name } = this.#commit ?? {};
    const index = rows.length > 0 ? row - rows[0].row : -1;
    if (name && index >= 0 && index < rows.length) {
      return { stream: name.stream, seq: plus(name.first, index), time: rows[index].time };
    }
    return { ...this.#state.placeOf(row, this.own), time: this.#state.outbox.timeOf(row) };
  }
}
