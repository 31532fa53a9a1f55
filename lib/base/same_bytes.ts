/**
 * Comparing bytes.
 *
 * @module
 */

/** Whether both consist of the same bytes. */
export function sameBytes(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && one.every((byte, index) => byte === other[index]);
}
