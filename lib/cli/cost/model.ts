/**
 * Estimates the number of requests of a fleet, from the numbers in PROTOCOL.md.
 *
 * @module
 */
import { MAX_SEGMENT_AGE_MS, MAX_TAIL_COMMITS } from "../../publishing/seal.ts";
import { JITTER } from "../../reading/poll_pace.ts";
import { MAX_TRUST_MS } from "../../wake/marker.ts";
import { LOOK_MS, meanBeatMs } from "../../fleet/keeper.ts";
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
  /** Delay between presences, in milliseconds; `false`: none are written. @default {false} */
  readonly presence?: number | false;
  /** Whether the servers take turns, which takes a presence and a listing each minute. */
  readonly turns?: boolean;
  /** Whether presences are listed as often as they are written, to find peers. */
  readonly findsPeers?: boolean;
  /** How long updates are kept, in milliseconds; `false`: for ever, without cleanup. */
  readonly retention: number | false;
  /** Number of feeds. @default the number of updates within the retention */
  readonly feeds?: number | undefined;
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

/** Hours between two cleanups that list all of `newest/`, on average. */
const HOURS_PER_SWEEP = 24;

/** Hours in a month. */
export const MONTH_HOURS = 730;

/** Number of keys on a page of a listing. */
const PAGE_SIZE = 1000;

/** Requests in `hours` hours. */
export function requestsIn(hours: number, fleet: Fleet): Requests {
  const { servers, updatesPerHour, poll, peers, marker = false } = fleet;
  const commits = updatesPerHour * hours;
  const polls = HOUR_MS / (poll * (1 - JITTER / 2));
  const changed = polls * (1 - Math.exp(-updatesPerHour / polls));
  const listings = marker ? Math.min(polls, Math.max(changed, HOUR_MS / MAX_TRUST_MS)) : polls;
  const cleanup = hourlyCleanup(fleet), presence = hourlyPresence(fleet);
  return {
    put: commits * (1 + 1 / MAX_TAIL_COMMITS) + (marker ? commits : 0) +
      hours * (cleanup.put + presence.put),
    get: (peers ? 0 : commits * (servers - 1)) + (marker ? servers * hours * polls : 0) +
      hours * cleanup.get,
    list: servers * hours * tailPages(fleet) * listings + hours * (cleanup.list + presence.list),
  };
}

/** Requests per hour with which servers tell each other that they are there. */
function hourlyPresence(
  { servers, presence = false, turns = false, findsPeers = false }: Fleet,
): Requests {
  if (presence === false) return { put: 0, get: 0, list: 0 };
  const beatMs = meanBeatMs(presence), beats = HOUR_MS / beatMs;
  const written = turns ? beats : beats / Math.max(1, Math.round(presence / beatMs));
  const listed = turns ? beats : findsPeers ? written : HOUR_MS / LOOK_MS;
  return { put: servers * written, get: 0, list: servers * listed * pages(servers) };
}

/** Requests per hour for cleanup: all servers together clean up once. */
function hourlyCleanup(fleet: Fleet): Requests {
  const { servers, updatesPerHour, retention } = fleet;
  if (retention === false) return { put: 0, get: 0, list: 0 };
  const hours = retention / HOUR_MS;
  const expiring = servers * expiringPerHour(updatesPerHour / servers, hours);
  const { feeds = updatesPerHour * hours } = fleet;
  // With random arrivals, this many expire before another update of their feed arrives.
  const carried = updatesPerHour * Math.exp(-updatesPerHour * hours / feeds);
  const segments = pages(servers * MAX_TAIL_COMMITS / 2 + expiring * hours);
  return {
    put: carried,
    get: expiring,
    list: tailPages(fleet) + segments + carried + pages(feeds) / HOURS_PER_SWEEP,
  };
}

/**
 * Objects of one server that expire per hour: segments, or commits if these expire before there
 * are enough to seal.
 */
function expiringPerHour(commitsPerHour: number, retentionHours: number): number {
  if (commitsPerHour * retentionHours <= MAX_TAIL_COMMITS) return commitsPerHour;
  const sealHours = MAX_TAIL_COMMITS / commitsPerHour;
  // One sealing begins a segment; the first that finds it old enough closes it.
  const sealings = 1 + Math.ceil(MAX_SEGMENT_AGE_MS / HOUR_MS / sealHours);
  return 1 / (sealings * sealHours);
}

function tailPages({ servers }: Fleet): number {
  return pages(servers * (1 + MAX_TAIL_COMMITS / 2));
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
