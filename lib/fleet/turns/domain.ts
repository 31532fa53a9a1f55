/**
 * Tells domains apart: a publisher sees one server, and its limits are kept by one.
 *
 * @module
 */
import { getDomain } from "tldts";

/** Version of `tldts`, whose list of public suffixes tells domains apart. */
export const SUFFIXES = "7.6.0";

/** Longer versions are not compared. */
const MAX_VERSION = 50;

/** The registrable domain of a normalised URL; its host where there is none. */
export function domainOf(url: URL): string {
  return getDomain(url.hostname) ?? url.hostname;
}

/** The name under which a host is left alone, which is not that of a domain. */
export function hostNameOf(url: URL): string {
  return `//${url.host}`;
}

/** Compares two versions of the list: negative when the first is older. */
export function compareSuffixes(a: string, b: string): number {
  const [left, right] = [numbersIn(a), numbersIn(b)];
  for (let index = 0; index < Math.max(left.length, right.length); index++) {
    const difference = (left[index] ?? 0) - (right[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** The numbers of a version; what is not one counts as newer than all. */
function numbersIn(version: string): number[] {
  const isVersion = version.length <= MAX_VERSION && /^\d+(\.\d+)*$/.test(version);
  return isVersion ? version.split(".").map(Number) : [Number.MAX_VALUE];
}
