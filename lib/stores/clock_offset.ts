/**
 * How far the clock of a store is from that of this machine.
 *
 * @module
 */

/** What a store's answer tells of its clock; all in milliseconds. */
export interface ClockReading {
  /** What the store's clock said, since 1970. */
  readonly stamp: number;
  /** By how much the store's clock may have been ahead of the stamp. */
  readonly resolution: number;
  /** When the answer arrived, by the local clock. */
  readonly received: number;
  /** How long it took: the local clock may have been set meanwhile. */
  readonly took: number;
}

/**
 * Milliseconds to add to the local clock to get the store's: of all offsets that the reading allows
 * the one nearest to 0. So clocks that may agree are taken to agree.
 */
export function clockOffset({ stamp, resolution, received, took }: ClockReading): number {
  const least = stamp - received;
  const most = stamp + resolution - (received - took);
  return Math.round(Math.min(most, Math.max(least, 0)));
}
