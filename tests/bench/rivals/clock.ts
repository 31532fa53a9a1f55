/**
 * The clock of all processes on this machine.
 *
 * @module
 */

/** Milliseconds since 1970, to the microsecond. */
export function now(): number {
  return performance.timeOrigin + performance.now();
}
