/**
 * Checks whether bodies come back as they were written.
 *
 * @module
 */
import { ConfigError } from "../errors.ts";
import { type Finding, ok, unchecked, warning, wrong } from "./finding.ts";
import type { Subject } from "./subject.ts";

/** Checks what the store, or something before it, does to bodies. */
export function* checkBodies(
  { probe: { get }, store }: Pick<Subject, "probe" | "store">,
): Iterable<Finding> {
  switch (get?.value) {
    case "same":
      return yield ok("Bodies come back as they were written");
    case "unpacked":
      return yield warning(
        "Bodies come back unpacked: something between this machine and the store decompresses them",
        "feedsync reads them nevertheless. Find out what does so: it costs time and traffic",
      );
    case "other":
      return yield wrong(
        new ConfigError(
          `Cannot use the store ${store!.url}: another body came back than was written`,
        ),
        "Look for a proxy that changes bodies or a cache, or for somebody else who runs " +
          "`feedsync check` just now: then run it again",
      );
    default:
      return yield unchecked("bodies", "nothing could be written and read");
  }
}
