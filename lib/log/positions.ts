/**
 * The two ways to count updates. Both are integers, so types keep them apart: a row mistaken for a
 * seq would delete or publish the wrong updates. Casts are only here, and where numbers are read
 * from outside.
 *
 * @module
 */

declare const counted: unique symbol;

/** The position of an update in its stream: 1, 2, 3 …; 0 is before the first one. */
export type Seq = number & { readonly [counted]: "in a stream" };

/** The number of an update in the outbox, across streams; 0 is before the first one. */
export type Row = number & { readonly [counted]: "in the outbox" };

/** Any number but a row, for code that knows no rows. */
export type SeqNumber = number & { readonly [counted]?: "in a stream" };

/** The last possible seq. */
export const MAX_SEQ: Seq = Number.MAX_SAFE_INTEGER as Seq;

/** Casts a number from a key, a body or the state to a seq. */
export function asSeq(value: SeqNumber): Seq {
  return value as Seq;
}

/** Casts a number from the state to a row. */
export function asRow(value: number & { readonly [counted]?: "in the outbox" }): Row {
  return value as Row;
}

/** The row of a seq in a stream whose first update is in the row after `base`. */
export function rowOf(seq: Seq, base: Row): Row {
  return (base + seq) as Row;
}

/** The seq of a row in a stream whose first update is in the row after `base`. */
export function seqOf(row: Row, base: Row): Seq {
  return (row - base) as Seq;
}

/** The position `steps` later. */
export function plus<P extends Seq | Row>(position: P, steps: number): P {
  return (position + steps) as P;
}

/** The later of two positions. */
export function later<P extends Seq | Row>(one: P, other: P): P {
  return one > other ? one : other;
}

/** The earlier of two positions. */
export function earlier<P extends Seq | Row>(one: P, other: P): P {
  return one < other ? one : other;
}
