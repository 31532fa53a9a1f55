/**
 * Published prices of providers for requests. Storage and traffic are extra; deletes are free
 * everywhere.
 *
 * @module
 */

/** The price of one kind of request. */
export interface RequestPrice {
  /** Number of free requests per month. */
  readonly free: number;
  /** US dollars per million further requests. */
  readonly perMillion: number;
}

/** The prices of a provider. */
export interface Prices {
  /** Writes. */
  readonly put: RequestPrice;
  /** Reads. */
  readonly get: RequestPrice;
  /** Pages of listings. */
  readonly list: RequestPrice;
  /** Whether writes and listings share the free requests. */
  readonly sharesFree: boolean;
  /** URL of the published prices. */
  readonly source: string;
  /** Month in which they were looked up. */
  readonly date: string;
}

const NOTHING: RequestPrice = { free: 0, perMillion: 0 };

/** Free requests per month: the daily number times 30. */
const B2_FREE = 2500 * 30;

/** Prices by provider, in US dollars, for the first region and standard storage. */
export const PRICES: Readonly<Record<string, Prices>> = {
  aws: {
    put: { free: 0, perMillion: 5 },
    get: { free: 0, perMillion: 0.4 },
    list: { free: 0, perMillion: 5 },
    sharesFree: false,
    source: "https://aws.amazon.com/s3/pricing/",
    date: "2026-11",
  },
  r2: {
    put: { free: 1_000_000, perMillion: 4.5 },
    get: { free: 10_000_000, perMillion: 0.36 },
    list: { free: 1_000_000, perMillion: 4.5 },
    sharesFree: true,
    source: "https://developers.cloudflare.com/r2/pricing/",
    date: "2026-11",
  },
  b2: {
    put: NOTHING,
    get: { free: B2_FREE, perMillion: 0.4 },
    list: { free: B2_FREE, perMillion: 4 },
    sharesFree: false,
    source: "https://www.backblaze.com/cloud-storage/transaction-pricing",
    date: "2026-11",
  },
  linode: {
    put: NOTHING,
    get: NOTHING,
    list: NOTHING,
    sharesFree: false,
    source: "https://www.linode.com/pricing/",
    date: "2026-11",
  },
};
