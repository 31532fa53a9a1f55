/**
 * Takes the events of the service that has the bucket, which bear a token.
 *
 * @module
 */
import { createHash, timingSafeEqual } from "node:crypto";
import { done, refuse, type Route } from "./route.ts";
import { commitsIn } from "./s3_events.ts";
import type { Hear } from "../sources.ts";

/** What events are taken with. */
export interface EventsOptions {
  /** What events must bear. */
  readonly wakeToken: string;
  /** URL of the store that commits must be of. */
  readonly store: string;
  /** Told of each commit. */
  readonly onCommit: Hear;
}

/** Events of the bucket. */
export function eventsRoute({ wakeToken, store, onCommit }: EventsOptions): Route {
  return {
    admit({ headers }, { searchParams }) {
      const given = searchParams.get("token") ??
        headers.get("authorization")?.replace(/^Bearer /, "");
      if (isSame(given ?? "", wakeToken)) return undefined;
      return refuse(401, "It does not bear the token of this server");
    },
    take(_, body) {
      const commits = commitsIn(new TextDecoder().decode(body), store);
      if (!commits) return refuse(400, "It is no event of a bucket");
      for (const name of commits) onCommit(name);
      return done();
    },
  };
}

/** Compares in a time that does not tell how much is right. */
function isSame(given: string, token: string): boolean {
  const [one, other] = [given, token].map((text) => createHash("sha256").update(text).digest());
  return timingSafeEqual(one, other);
}
