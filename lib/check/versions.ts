/**
 * Checks whether the store keeps what is deleted.
 *
 * @module
 */
import { type Finding, ok, unchecked, warning } from "./finding.ts";
import type { Subject } from "./subject.ts";

/** Tells whether deleted objects stay as old versions. */
export function* checkVersions(
  { probe: { deleted, put }, store }: Pick<Subject, "probe" | "store">,
): Iterable<Finding> {
  if (!deleted || deleted.error || put?.error) {
    yield unchecked("old versions", "nothing could be written and deleted");
  } else if (store!.keepsVersions) {
    const what = "What is deleted stays as old versions, which you pay for";
    const advice = "Give the bucket a lifecycle rule that removes them, unless it has one: see " +
      "“Buckets that keep versions” in docs/stores.md";
    yield warning(what, advice);
  } else yield ok("What is deleted is gone: the store keeps no old versions");
}
