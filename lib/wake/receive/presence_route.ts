/**
 * Receives the greetings of peers: the presences of servers that have found this one in the bucket,
 * and need not wait until they are found.
 *
 * @module
 */
import { parsePresenceKey, type PresenceName } from "../../log/fleet/names.ts";
import type { OnPresence } from "../source.ts";
import type { Route } from "./route.ts";
import { type SignedOptions, signedRoute } from "./signed_route.ts";

/** Maximum size of a presence: it names at most 1,000 streams. */
const MAX_PRESENCE_BYTES = 4 * 1024 * 1024;

/** Options of {@linkcode presenceRoute}. */
export interface PresenceOptions extends SignedOptions {
  /** Called for each presence that certainly belongs to this store. */
  readonly onPresence: OnPresence;
}

/** Receives presences that peers POST. */
export function presenceRoute({ onPresence, ...options }: PresenceOptions): Route {
  return signedRoute<PresenceName>({
    what: "a presence",
    instead: "the next listing of the presences shows that server instead",
    maxBytes: MAX_PRESENCE_BYTES,
    parse: parsePresenceKey,
    async take(name, stored, { isElsewhere }) {
      if (!isElsewhere) await onPresence(name, stored);
    },
    hint() {}, // The next listing shows it.
  }, options);
}
