/**
 * Hands the newest update of each feed to a consumer that begins, or has lost updates.
 *
 * @module
 */
import type { Connection } from "../connection.ts";
import type { ConsumerRow, Position } from "../state/consumers.ts";
import type { LineOptions, ReadLines } from "./line_batch.ts";

/** Walks through all feeds. */
export class FeedWalker {
  readonly #connection: Connection;

  /** Creates it, without reading anything yet. */
  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** Reads the newest updates after a position; none when there is no walk, or at its end. */
  read(_consumer: ConsumerRow, after: Position, _options: LineOptions): Promise<ReadLines> {
    this.#connection.closed.throwIfAborted();
    return Promise.resolve({ lines: [], end: after });
  }
}
