/**
 * Checks how the store lists: in which order, and whether it can start in the middle.
 *
 * @module
 */
import { type Finding, ok, unchecked, warning, wrong } from "./finding.ts";
import type { Subject } from "./subject.ts";

const COSTS = "Nothing is lost: each listing covers a whole stream, which takes more requests";

/** Checks the order of keys, and `start-after`. */
export function* checkListing({ probe }: Pick<Subject, "probe">): Iterable<Finding> {
  const { keys, beyond, list } = probe;
  if (!keys || keys.error) {
    // Who may not list at all has been told so.
    if (keys?.error && !list.error) yield wrong(keys.error);
    else yield unchecked("the order of listings", "it cannot be listed");
  } else if (keys.value!.length < 2) {
    yield unchecked("the order of listings", "the store is still empty");
  } else if (isSorted(keys.value!)) {
    yield ok("Listings are in order");
  } else {
    yield warning("Listings are not in order", COSTS);
  }
  if (!beyond || beyond.error) {
    yield unchecked("start-after", "nothing could be written and listed");
  } else if (beyond.value) {
    yield warning("Listings do not start where they are told to (start-after)", COSTS);
  } else {
    yield ok("Listings start where they are told to (start-after)");
  }
}

/** Whether the keys are in the order of their bytes; only ASCII has the same one in JavaScript. */
function isSorted(keys: readonly string[]): boolean {
  const ascii = keys.filter((key) => /^[ -~]*$/.test(key));
  return ascii.every((key, index) => index === 0 || ascii[index - 1] <= key);
}
