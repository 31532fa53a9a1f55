/**
 * Checks whether bodies come back as they were written.
 *
 * @module
 */
import { ConfigError } from "../errors.ts";
import { type Finding, ok, unchecked, warning, wrong } from "./finding.ts";
import { checkLargeBody } from "./large_body.ts";
import type { Probe } from "./probe.ts";
import type { Subject } from "./subject.ts";

/** Checks what the store, or something before it, does to bodies; on request also to a large one. */
export async function* checkBodies(subject: Subject): AsyncIterable<Finding> {
  const { probe: { put, get }, store, isThorough } = subject;
  yield fidelityOf({ get, store });
  if (!isThorough) return;
  if (put && !put.error) yield await checkLargeBody(subject);
  else yield unchecked("large bodies", "nothing could be written");
}

function fidelityOf({ get, store }: Pick<Probe, "get"> & Pick<Subject, "store">): Finding {
  switch (get?.value) {
    case "same":
      return ok("Bodies come back as they were written");
    case "unpacked":
      return warning(
        "Bodies come back unpacked: something between this machine and the store decompresses them",
        "feedsync reads them nevertheless. Find out what does so: it costs time and traffic",
      );
    case "other":
      return wrong(
        new ConfigError(
          `Cannot use the store ${store!.url}: another body came back than was written`,
        ),
        "Look for a proxy that changes bodies or a cache, or for somebody else who runs " +
          "`feedsync check` just now: then run it again",
      );
    default:
      return unchecked("bodies", "nothing could be written and read");
  }
}
