/**
 * Estimates the number of requests of a fleet, from the numbers in PROTOCOL.md.
 *
 * @module
 */
import { MAX_TAIL_COMMITS } from "../../publishing/seal.ts";
import { JITTER } from "../../reading/poll_pace.ts";
import { MAX_TRUST_MS } from "../../wake/marker.ts";
import type { Prices, RequestPrice } from "./prices.ts";

/** A fleet whose servers all publish and watch. */
export interface Fleet {
  /** Number of servers. */
  readonly servers: number;
  /** Updates per hour, of all servers together; each is a separate commit. */
  readonly updatesPerHour: number;
  /** Delay between polls, in milliseconds. */
  readonly poll: number;
  /** Whether commits are sent to peers, which then need not read them. */
  readonly peers: boolean;
  /** Whether polls read the marker, and list only when it has changed. */
  readonly marker?: boolean;
  /** How long updates are kept, in milliseconds; `false`: for ever, without cleanup. */
  readonly retention: number | false;
}

/** Numbers of requests. */
export interface Requests {
  /** Writes. */
  readonly put: number;
  /** Reads. */
  readonly get: number;
  /** Pages of listings. */
  readonly list: number;
}

const HOUR_MS = 60 * 60 * 1000;

/** Hours in a month. */
export const MONTH_HOURS = 730;

/** Number of keys on a page of a listing. */
const PAGE_SIZE = 1000;

/** Requests in `hours` hours. */
export function requestsIn(hours: number, fleet: Fleet): Requests {
  const { servers, updatesPerHour, poll, peers, marker = false, retention } = fleet;
  const commits = updatesPerHour * hours;
  const tail = pages(servers * (1 + MAX_TAIL_COMMITS / 2));
  // One segment per hour, for each server that publishes that often.
  const publishers = Math.min(servers, updatesPerHour);
  const segments = retention === false ? 0 : publishers * retention / HOUR_MS;
  const polls = HOUR_MS / (poll * (1 - JITTER / 2));
  const changed = polls * (1 - Math.exp(-updatesPerHour / polls));
  const listings = marker ? Math.min(polls, Math.max(changed, HOUR_MS / MAX_TRUST_MS)) : polls;
  const cleanup = retention === false
    ? 0
    : tail + pages(servers * (1 + MAX_TAIL_COMMITS / 2) + segments);
  return {
    put: commits * (1 + 1 / MAX_TAIL_COMMITS) + (marker ? commits : 0),
    get: (peers ? 0 : commits * (servers - 1)) + (marker ? servers * hours * polls : 0),
    list: servers * hours * (tail * listings + cleanup),
  };
}

/** The cost of the requests of a month, in US dollars. */
export function dollars({ put, get, list }: Requests, prices: Prices): number {
  if (prices.sharesFree) return price(put + list, prices.put) + price(get, prices.get);
  return price(put, prices.put) + price(get, prices.get) + price(list, prices.list);
}

function price(requests: number, { free, perMillion }: RequestPrice): number {
  return Math.max(0, requests - free) / 1_000_000 * perMillion;
}

function pages(keys: number): number {
  return Math.max(1, Math.ceil(keys / PAGE_SIZE));
}
