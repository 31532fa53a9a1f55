/**
 * Batches of lines for consumers, bounded by number and size.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import type { Position } from "../state/consumers.ts";
import type { ConsumerLine, ContentForm } from "./consumer.ts";

/** What to read. */
export interface LineOptions {
  /** Maximum number of lines. */
  readonly limit: number;
  /** Maximum size of the lines in bytes; a single one may be larger. */
  readonly maxBytes: number;
  /** In which form to hand over content. */
  readonly content: ContentForm;
  /** Aborts reading from the bucket. */
  readonly signal: AbortSignal;
}

/** Collects lines up to a number and a size. */
export class LineBatch {
  readonly lines: ConsumerLine[] = [];
  readonly #options: LineOptions;
  #end: Position;
  #bytes = 0;
  #isFull = false;

  /** Creates an empty batch of what comes after a position. */
  constructor(after: Position, options: LineOptions) {
    this.#end = after;
    this.#options = options;
  }

  /** The position behind the last line. */
  get end(): Position {
    return this.#end;
  }

  /** Whether no more lines fit. */
  get isFull(): boolean {
    return this.#isFull;
  }

  /** Adds a line at its position; returns false if it does not fit. The first one always does. */
  add(line: ConsumerLine, position: Position): boolean {
    const { limit, maxBytes } = this.#options;
    this.#bytes += Buffer.byteLength(line.json) + 1;
    if (this.lines.length > 0 && this.#bytes > maxBytes) {
      this.#isFull = true;
      return false;
    }
    this.lines.push(line);
    this.#end = position;
    this.#isFull = this.lines.length >= limit || this.#bytes >= maxBytes;
    return true;
  }
}
