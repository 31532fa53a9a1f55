/**
 * How many requests a fleet sends: the numbers of PROTOCOL.md, multiplied.
 *
 * @module
 */
import { MAX_TAIL_COMMITS } from "../../publishing/seal.ts";
import { JITTER } from "../../reading/poll_pace.ts";
import { MAX_TRUST_MS } from "../../wake/marker.ts";
import type { Prices, RequestPrice } from "./prices.ts";

/** A fleet whose servers all publish and watch. */
export interface Fleet {
  /** How many servers. */
  readonly servers: number;
  /** Updates an hour, of all servers together; each is a commit of its own. */
  readonly updatesPerHour: number;
  /** Milliseconds from poll to poll. */
  readonly poll: number;
  /** Commits are delivered to peers: nobody has to read them. */
  readonly peers: boolean;
  /** Polls look at the marker, and list only when it has changed. */
  readonly marker?: boolean;
  /** Milliseconds that updates are kept; `false`: for ever, and nobody cleans up. */
  readonly retention: number | false;
}

/** Requests in some time. */
export interface Requests {
  /** Writes. */
  readonly put: number;
  /** Reads. */
  readonly get: number;
  /** Pages of listings. */
  readonly list: number;
}

const HOUR = 60 * 60 * 1000;

/** Hours in a month. */
export const MONTH = 730;

/** Keys on a page of a listing. */
const PAGE = 1000;

/** Requests in `hours` hours. */
export function requestsIn(hours: number, fleet: Fleet): Requests {
  const { servers, updatesPerHour, poll, peers, marker = false, retention } = fleet;
  const commits = updatesPerHour * hours;
  const tail = pages(servers * (1 + MAX_TAIL_COMMITS / 2));
  // A segment an hour, of each server that publishes so often.
  const segments = retention === false ? 0 : Math.min(servers, updatesPerHour) * retention / HOUR;
  const polls = HOUR / (poll * (1 - JITTER / 2));
  const changed = polls * (1 - Math.exp(-updatesPerHour / polls));
  const listings = marker ? Math.min(polls, Math.max(changed, HOUR / MAX_TRUST_MS)) : polls;
  const cleanup = retention === false
    ? 0
    : tail + pages(servers * (1 + MAX_TAIL_COMMITS / 2) + segments);
  return {
    put: commits * (1 + 1 / MAX_TAIL_COMMITS) + (marker ? commits : 0),
    get: (peers ? 0 : commits * (servers - 1)) + (marker ? servers * hours * polls : 0),
    list: servers * hours * (tail * listings + cleanup),
  };
}

/** What requests of a month cost, in US dollars. */
export function dollars({ put, get, list }: Requests, prices: Prices): number {
  if (prices.sharesFree) return price(put + list, prices.put) + price(get, prices.get);
  return price(put, prices.put) + price(get, prices.get) + price(list, prices.list);
}

function price(requests: number, { free, perMillion }: RequestPrice): number {
  return Math.max(0, requests - free) / 1_000_000 * perMillion;
}

function pages(keys: number): number {
  return Math.max(1, Math.ceil(keys / PAGE));
}
