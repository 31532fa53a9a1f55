/**
 * The order of a feed's updates, the same on all servers: the later time is newer; with equal
 * times, the greater id.
 *
 * @module
 */

/**
 * Maximum time of an update ahead of the store's clock. If a later time were accepted, no other
 * update of the feed would be newer until then.
 */
export const MAX_AHEAD_MS: number = 24 * 60 * 60 * 1000;

/** The members of an update that determine its order. */
export interface OrderedUpdate {
  /** Milliseconds since 1970. */
  readonly time: number;
  /** UUID of the update. */
  readonly id: string;
}

/** Compares two updates of a feed: negative when `b` is newer, 0 when they are equal. */
export function compareUpdates(a: OrderedUpdate, b: OrderedUpdate): number {
  return a.time - b.time || (a.id < b.id ? -1 : Number(a.id > b.id));
}

/**
 * Whether an update can have this time: not before 1970, nor more than a day after `now`, by the
 * store's clock.
 */
export function isPlausible(time: number, now: number): boolean {
  return time >= 0 && time <= now + MAX_AHEAD_MS;
}
