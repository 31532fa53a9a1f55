/**
 * Which of a feed's updates is the newest: one order, the same on all servers. The later time wins, and
 * of two with the same time the greater id.
 *
 * @module
 */

/**
 * No honest clock is so far ahead of the store's, in milliseconds. Were a later time believed, nothing
 * that others publish under its URL would ever be newer.
 */
export const MAX_AHEAD_MS: number = 24 * 60 * 60 * 1000;

/** An update as far as the order goes. */
export interface OrderedUpdate {
  /** Milliseconds since 1970. */
  readonly time: number;
  /** UUID of the update. */
  readonly id: string;
}

/** Compares two updates of a feed: negative when `b` is newer, 0 when they are the same. */
export function compareUpdates(a: OrderedUpdate, b: OrderedUpdate): number {
  return a.time - b.time || (a.id < b.id ? -1 : Number(a.id > b.id));
}

/**
 * Whether a time can be that of an update, as far as the store's clock tells, which says `now`: a time
 * before 1970, or more than a day ahead, cannot.
 */
export function isPlausible(time: number, now: number): boolean {
  return time >= 0 && time <= now + MAX_AHEAD_MS;
}
