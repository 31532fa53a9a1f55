/**
 * Checks whether the store can be reached, and is one.
 *
 * @module
 */
import { type Finding, ok } from "./finding.ts";
import type { Subject } from "./subject.ts";

/** Tells what keeps the store from being used at all. */
export function* checkReach({ store, blocked }: Subject): Iterable<Finding> {
  if (blocked) yield blocked.finding;
  else yield ok(`The store ${store!.url} answers${store!.service ? ` at ${store!.service}` : ""}`);
}
