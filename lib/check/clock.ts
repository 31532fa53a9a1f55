/**
 * Compares the clock of this machine with that of the store.
 *
 * @module
 */
import { inWords } from "../fleet/status/words.ts";
import { type Finding, ok, warning } from "./finding.ts";
import type { Subject } from "./subject.ts";

/** A smaller difference does not matter to anybody. */
const TOLERANCE_MS = 10_000;

/** Compares the clocks. feedsync itself goes by the store's. */
export function* checkClock({ store }: Pick<Subject, "store">): Iterable<Finding> {
  const { clockOffset } = store!;
  if (clockOffset === undefined) {
    const what = "The store tells no time: its answers have no Date, or come from a cache";
    yield warning(what, "Keep the clocks of all servers right: feedsync has to go by them");
  } else if (Math.abs(clockOffset) <= TOLERANCE_MS) {
    yield ok("The clock of this machine agrees with that of the store");
  } else {
    const side = clockOffset > 0 ? "behind" : "ahead of";
    const what = `The clock of this machine is ${inWords(Math.abs(clockOffset) / 1000)} ${side} ` +
      "that of the store";
    const advice = "Set the clock, with NTP. feedsync goes by the store's clock, but signatures, " +
      "certificates and logs go by this one";
    yield warning(what, advice);
  }
}
