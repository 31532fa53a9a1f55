/**
 * What providers ask for requests, as they have published it. Storage and traffic come on top; deletes
 * are free everywhere.
 *
 * @module
 */

/** The price of one kind of request: how many are free, and what a million of the others costs. */
export interface RequestPrice {
  /** Free in a month. */
  readonly free: number;
  /** US dollars for a million. */
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
  /** Writes and listings share what is free. */
  readonly sharesFree: boolean;
  /** Where that is published. */
  readonly source: string;
  /** When it was read there. */
  readonly date: string;
}

const NOTHING: RequestPrice = { free: 0, perMillion: 0 };

/** Free each day, added up over a month. */
const B2_FREE = 2500 * 30;

/** By provider; all in US dollars, for the first region and standard storage. */
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
