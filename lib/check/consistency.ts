/**
 * Checks whether each request sees what the one before it did.
 *
 * @module
 */
import { ConfigError } from "../errors.ts";
import { type Finding, ok, unchecked, warning, wrong } from "./finding.ts";
import type { Sight } from "./probe.ts";
import type { Subject } from "./subject.ts";

const ADVICE = "Look for a cache or a replica between this machine and the store: feedsync waits " +
  "for what it does not see yet, but others then know later";

/** Checks read-after-write. */
export function* checkConsistency(
  { probe, store }: Pick<Subject, "probe" | "store">,
): Iterable<Finding> {
  const { get, listed, gone, unlisted } = probe;
  const sights: readonly [what: string, sight: Sight<unknown> | undefined][] = [
    ["what was written can be read", get?.value === "other" ? undefined : get],
    ["what was written is listed", listed],
    ["what was deleted can be read no more", gone],
    ["what was deleted is listed no more", unlisted],
  ];
  const known = sights.filter(([, sight]) => sight && !sight.error) as [string, Sight<unknown>][];
  if (known.length === 0) return yield unchecked("read-after-write", "nothing could be written");
  const late = known.filter(([, { isSeen, lateMs }]) => !isSeen || lateMs > 0);
  if (late.length === 0) yield ok("What was written or deleted is seen at once");
  for (const [what, { isSeen, lateMs }] of late) {
    const seconds = (lateMs / 1000).toFixed(1);
    if (isSeen) yield warning(`It takes ${seconds} s until ${what}`, ADVICE);
    else {
      yield wrong(
        new ConfigError(
          `Cannot use the store ${store!.url}: after ${seconds} s it is still not so that ${what}`,
        ),
        ADVICE,
      );
    }
  }
}
