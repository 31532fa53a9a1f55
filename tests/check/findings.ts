/**
 * What checks find, for tests.
 *
 * @module
 */
import { check, type CheckFinding, type CheckOptions } from "../../lib/check.ts";
import type { Finding, FindingLevel } from "../../lib/check/finding.ts";
import type { Config } from "../../lib/config/config.ts";

/** Everything that is found with a configuration. */
export function findingsWith(
  config: Config,
  options: CheckOptions = {},
): Promise<CheckFinding[]> {
  const given = { server: "web-1", ...config } as Parameters<typeof check>[0];
  return Array.fromAsync(check(given, options));
}

/** Those of one level, as `check: what`. */
export function at(level: FindingLevel, findings: readonly CheckFinding[]): string[] {
  return findings.filter((finding) => finding.level === level)
    .map(({ check, what }) => `${check}: ${what}`);
}

/** Findings in short. */
export function short(findings: Iterable<Finding>): string[] {
  return [...findings].map(({ level, what }) => `${level}: ${what}`);
}

/** The names of the checks that need a store. */
export const OF_STORE = [
  ...["rights", "clock", "listings", "consistency", "bodies", "latency", "versions"],
];
