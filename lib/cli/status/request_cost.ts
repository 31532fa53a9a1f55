/**
 * What a server's requests cost.
 *
 * @module
 */
import type { RequestCounts } from "../../stores/store.ts";
import { dollars, MONTH_HOURS } from "../cost/model.ts";
import { PRICES } from "../cost/prices.ts";

/** Where the requests go. */
export interface CostOptions {
  /** URL of the store. */
  readonly store: string;
  /** The configured endpoint. @default AWS */
  readonly endpoint?: string | undefined;
}

/** Providers by the end of the host name of their endpoints. */
const PROVIDERS: readonly (readonly [host: RegExp, provider: string])[] = [
  [/\.r2\.cloudflarestorage\.com$/, "r2"],
  [/\.backblazeb2\.com$/, "b2"],
  [/\.linodeobjects\.com$/, "linode"],
];

const DAYS_A_MONTH = MONTH_HOURS / 24;

/** What the requests of a day cost, as the end of a sentence; empty for a directory. */
export function costOf(perDay: Readonly<RequestCounts>, { store, endpoint }: CostOptions): string {
  if (!store.startsWith("s3:")) return "";
  const host = URL.parse(endpoint ?? "")?.hostname ?? "";
  const provider = PROVIDERS.find(([end]) => end.test(host))?.[1] ?? "aws";
  const [put, get, list] = [perDay.put, perDay.get, perDay.list].map((n) => n * DAYS_A_MONTH);
  const cost = dollars({ put, get, list }, PRICES[provider]) / DAYS_A_MONTH;
  return `, $${cost.toFixed(cost < 1 ? 4 : 2)} at the prices of ${provider}`;
}
