/**
 * What a server's requests cost.
 *
 * @module
 */
import { providerAt } from "../../stores/providers.ts";
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

const DAYS_A_MONTH = MONTH_HOURS / 24;

/** What the requests of a day cost, as the end of a sentence; empty for a directory. */
export function costOf(perDay: Readonly<RequestCounts>, { store, endpoint }: CostOptions): string {
  if (!store.startsWith("s3:")) return "";
  const host = URL.parse(endpoint ?? "")?.hostname ?? "";
  const { id = "aws" } = providerAt(host) ?? {};
  const provider = Object.hasOwn(PRICES, id) ? id : "aws";
  const [put, get, list] = [perDay.put, perDay.get, perDay.list].map((n) => n * DAYS_A_MONTH);
  const cost = dollars({ put, get, list }, PRICES[provider]) / DAYS_A_MONTH;
  return `, $${cost.toFixed(cost < 1 ? 4 : 2)} at the prices of ${provider}`;
}
