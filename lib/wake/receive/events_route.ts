/**
 * Receives bucket events, which must carry a token.
 *
 * @module
 */
import { createHash, timingSafeEqual } from "node:crypto";
import type { OnCommit } from "../source.ts";
import { accept, refuse, type Route } from "./route.ts";
import { commitsIn } from "./s3_events.ts";

/** Options of {@linkcode eventsRoute}. */
export interface EventsOptions {
  /** The token that events must carry. */
  readonly wakeToken: string;
  /** URL of this server's store: events of others are ignored. */
  readonly store: string;
  /** Called for each commit. */
  readonly onCommit: OnCommit;
}

/** Receives bucket events that the object storage POSTs. */
export function eventsRoute({ wakeToken, store, onCommit }: EventsOptions): Route {
  return {
    admit({ headers }, { searchParams }) {
      const given = searchParams.get("token") ??
        headers.get("authorization")?.replace(/^Bearer /, "");
      if (isSame(given ?? "", wakeToken)) return undefined;
      return refuse(401, "The token is missing or wrong");
    },
    take(_, body) {
      const commits = commitsIn(new TextDecoder().decode(body), store);
      if (!commits) return refuse(400, "Not a bucket event");
      for (const name of commits) onCommit(name);
      return accept();
    },
  };
}

/** Compares in constant time; hashing gives both sides the same length. */
function isSame(given: string, token: string): boolean {
  const [one, other] = [given, token].map((text) => createHash("sha256").update(text).digest());
  return timingSafeEqual(one, other);
}
