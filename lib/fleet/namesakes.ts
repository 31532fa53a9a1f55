/**
 * Notices other servers with the name of this one, and copies of its machine: their updates get
 * mixed up in logs, and only one of them takes turns.
 *
 * @module
 */
import { getLogger } from "@logtape/logtape";
import type { Clock } from "../base/environment.ts";
import { OnceLog } from "../base/once_log.ts";
import type { DatedPresence, PresenceName } from "../log/fleet/names.ts";
import type { Core } from "../state/core.ts";
import { identityOf, latestOf } from "./view.ts";

const logger = getLogger(["feedsync", "fleet"]);

const COPY =
  "Another process uses the name {server} and a copy of this state: publishing from both makes " +
  "forks. Stop it, or give it a name and a state file of its own";

const NAMESAKE =
  "Another server is running with the name {server} (stream {stream}): give each server a name of " +
  "its own with 'server', since status and turns cannot tell them apart";

/** Tells namesakes that are alive from what a former run has left behind. */
export class Namesakes {
  readonly #clock: Clock;
  readonly #problems: OnceLog;
  /** When each was written that was seen first, and until when it must have been written again. */
  readonly #firstSeen = new Map<string, { readonly written: number; readonly until: number }>();
  #isUndecided = false;

  /** Creates it; nothing was seen yet. */
  constructor({ environment }: Core) {
    this.#clock = environment.clock;
    this.#problems = new OnceLog(logger, environment.clock);
  }

  /** Whether one of the next listings shows if a namesake is alive. */
  get isUndecided(): boolean {
    return this.#isUndecided;
  }

  /** Looks for namesakes in a listing: whoever writes again is alive. */
  observe(listing: readonly DatedPresence[], own: PresenceName): void {
    const namesakes = [...latestOf(listing).values()]
      .filter((name) => name.server === own.server && identityOf(name) !== identityOf(own));
    const present = new Set(namesakes.map(identityOf));
    for (const identity of this.#firstSeen.keys()) {
      if (present.has(identity)) continue;
      this.#firstSeen.delete(identity);
      this.#problems.resolved(identity);
    }
    this.#isUndecided = false;
    for (const name of namesakes) {
      const { lastModified = 0, stream, server } = name, identity = identityOf(name);
      const now = this.#clock.elapsed();
      const first = this.#firstSeen.get(identity) ??
        { written: lastModified, until: now + 2 * name.interval * 1000 };
      this.#firstSeen.set(identity, first);
      if (lastModified <= first.written) {
        this.#isUndecided ||= now < first.until;
        continue;
      }
      const text = stream === own.stream ? COPY : NAMESAKE;
      this.#problems.problem(identity, { text, properties: { server, stream } });
    }
  }
}
