/**
 * Takes in updates as soon as they are read, before any plugin is called: notes them as known, and
 * puts them into the inbox of consumers.
 *
 * @module
 */
import type { StoredUpdate } from "../log/codec.ts";
import type { Core } from "../state/core.ts";
import { feedIdentity } from "../feed_url.ts";
import { type Gap, hashOf } from "../update.ts";
import { TimeClamp } from "./clamp_time.ts";
import { inboxUpdateOf } from "./inbox_update.ts";

/** Updates that were taken in. */
export interface TakenUpdates {
  /** The updates; implausible times are clamped. */
  readonly updates: readonly StoredUpdate[];
  /** Seqs of those that this server has published again in another stream: nobody receives these. */
  readonly republished: ReadonlySet<number>;
  /** Seqs of those that are superseded now. */
  readonly superseded: ReadonlySet<number>;
}

/** Takes in updates and gaps. */
export class Intake {
  readonly #core: Core;
  readonly #clamp: TimeClamp;

  /** Creates it, without taking in anything yet. */
  constructor(core: Core) {
    this.#core = core;
    this.#clamp = new TimeClamp(core.state, core.environment.clock);
  }

  /**
   * Notes consecutive updates of a stream, so that nobody publishes them again, and takes them into
   * the inbox. Notes that their stream reaches so far, too: no listing may have shown that yet, and
   * until then they would count as missing. Those whose time was clamped have no place: there they
   * have another time.
   */
  take(stream: string, stored: readonly StoredUpdate[]): TakenUpdates {
    const { state, log } = this.#core, { newest, cursors } = state;
    const now = log.now();
    const updates = stored.map((update) => this.#clamp.clamp(stream, update, now));
    const ids = state.ownStream.republishedIn(stream); // Of other servers' streams, there are none.
    const republished = seqsOf(ids.size === 0 ? [] : updates.filter(({ id }) => ids.has(id)));
    // Outside the transaction: hashing large contents takes long and would block other processes.
    const received = updates.map((update, index) => {
      const { url, time, id, seq } = update;
      const place = update === stored[index] ? { stream, seq } : undefined;
      const feed = feedIdentity(url);
      return { feed, time: Date.parse(time), id, hash: hashOf(update), place };
    });
    const takeIn = this.#prepareInbox(stream, updates, republished);
    const { isNews, isSuperseded } = state.transaction(() => {
      const noted = newest.noteAll(received, { now });
      cursors.noteReach(stream, updates[updates.length - 1].seq);
      takeIn();
      return noted;
    }, { durable: false });
    state.arrivals.tell(() =>
      updates.filter(({ seq }, index) => isNews[index] && !republished.has(seq))
        .map(({ id, url, time, removed }) => ({ id, url, stream, time, removed }))
    );
    const superseded = seqsOf(updates.filter((_, index) => isSuperseded[index]));
    return { updates, republished, superseded };
  }

  /** Takes a gap into the inbox. */
  takeGap(gap: Gap): void {
    const { state, environment: { clock } } = this.#core, { inbox } = state;
    if (!inbox.isWanted()) return;
    state.transaction(() => inbox.takeGap(gap, clock.now()), { durable: false });
  }

  /** Encodes updates for the inbox, if there are consumers; the result takes them in. */
  #prepareInbox(
    stream: string,
    updates: readonly StoredUpdate[],
    republished: ReadonlySet<number>,
  ): () => void {
    const { state: { inbox, inboxUpkeep }, environment: { clock } } = this.#core;
    if (!inbox.isWanted()) return () => {};
    const incoming = updates.filter(({ seq }) => !republished.has(seq))
      .map((update) => inboxUpdateOf(stream, update));
    const first = updates[0].seq, last = updates[updates.length - 1].seq;
    return () => {
      inbox.take(stream, incoming, { first, last, now: clock.now() });
      inboxUpkeep.bound();
    };
  }
}

function seqsOf(updates: readonly StoredUpdate[]): Set<number> {
  return new Set(updates.map(({ seq }) => seq));
}
