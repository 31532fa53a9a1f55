/**
 * Delivers updates to the plugins, and moves the cursor behind them.
 *
 * @module
 */
import type { Core } from "../state/core.ts";
import { getLogger } from "@logtape/logtape";
import type { StoredUpdate } from "../log/codec.ts";
import type { Environment } from "../base/environment.ts";
import type { Intake } from "./intake.ts";
import { type FailedCall, Receivers, type ReceiversOptions } from "./receivers.ts";
import type { LockedStream } from "../state/cursors.ts";
import type { DeadLetter } from "../state/dead_letters.ts";
import type { State } from "../state/state.ts";
import type { Gap } from "../update.ts";

const logger = getLogger(["feedsync", "watch"]);

/** Maximum time between two writes of the cursor; it is also written at the end of each object. */
const CURSOR_INTERVAL_MS = 100;

/** Maximum number of gaps logged: anyone who can write to the bucket can fake any number. */
const MAX_LOGGED_GAPS = 100;

const GAP =
  "{count} updates of {stream} are lost, {first} to {last}: no readable object in the bucket " +
  "holds them; if they have expired, this server was away for longer than 'retention'";

const LOCKED_GAP =
  "{count} updates of {stream} are lost, {first} to {last}: they are gone from the bucket, " +
  "and this server could not read them before: {reason}";

/** Added to both messages when the state is a file: only then does a watcher restore. */
const NEWEST_IS_KEPT = ". The newest update of each feed is restored";

/** Dependencies of {@linkcode Delivery}. */
export interface DeliveryOptions extends Core, ReceiversOptions {
  /** Takes updates in before they are delivered. */
  readonly intake: Intake;
}

/**
 * The updates of an object that were superseded when it arrived. Valid only for a short time, since
 * other processes may publish, and only until this process notes a newer update.
 */
interface Superseded {
  readonly ids: ReadonlySet<string>;
  readonly revision: number;
  readonly until: number;
}

/** Applies updates: in order per stream, one at a time per URL. */
export class Delivery {
  readonly #state: State;
  readonly #intake: Intake;
  readonly #environment: Environment;
  /** The plugins that receive the updates. */
  readonly receivers: Receivers;
  #gaps = 0;
  /** Since when the plugins are busy with an object of each stream, by the monotonic clock. */
  readonly #busySince = new Map<string, number>();

  /** Creates a delivery, without delivering anything yet. */
  constructor(options: DeliveryOptions) {
    const { state, environment, intake } = options;
    this.#state = state;
    this.#intake = intake;
    this.#environment = environment;
    this.receivers = new Receivers(options);
  }

  /** Number of gaps reported. */
  get gaps(): number {
    return this.#gaps;
  }

  /** Whether the plugins have been busy with an object for at least `ms`. */
  isBusyFor(ms: number): boolean {
    const now = this.#environment.clock.elapsed();
    return this.#busySince.values().some((since) => now - since >= ms);
  }

  /**
   * Applies updates that follow the cursor of their stream. Stops between two of them, with the
   * cursor stored, when `signal` is aborted.
   */
  async apply(
    stream: string,
    stored: readonly StoredUpdate[],
    signal: AbortSignal,
  ): Promise<void> {
    if (stored.length === 0) return;
    const { clock } = this.#environment, { inbox } = this.#state;
    const { updates, republished, ...taken } = this.#intake.take(stream, stored);
    const superseded = this.#stillSuperseded(taken.superseded);
    inbox.beginApplying(stream, updates[updates.length - 1].seq);
    this.#busySince.set(stream, clock.elapsed());
    let storedAt = clock.elapsed(), from = updates[0].seq - 1, to = from;
    const store = (letters: readonly DeadLetter[] = []) => {
      if (to > from) this.#moveCursor(stream, { from, to }, letters);
      [storedAt, from] = [clock.elapsed(), to];
    };
    try {
      for (const update of updates) {
        signal.throwIfAborted();
        const failures = republished.has(update.id)
          ? []
          : await this.#deliver(stream, update, { superseded, signal });
        to = update.seq;
        // Dead letters at once: they are retried as soon as another update is applied.
        const isDue = failures.length > 0 || clock.elapsed() - storedAt >= CURSOR_INTERVAL_MS;
        if (isDue) store(failures.map((failed) => this.receivers.letter(failed)));
        for (const failed of failures) await this.receivers.reportDeadLetter(failed);
      }
    } finally {
      this.#busySince.delete(stream);
      store();
      inbox.endApplying(stream);
    }
  }

  /** Reports lost updates; `locked` says why they could not be read while they existed. */
  async gap(
    gap: Gap,
    { signal, locked }: { signal: AbortSignal; locked: LockedStream | undefined },
  ): Promise<void> {
    if (++this.#gaps <= MAX_LOGGED_GAPS) {
      const text = (locked ? LOCKED_GAP : GAP) + (this.#state.isInMemory ? "" : NEWEST_IS_KEPT);
      const count = gap.last - gap.first + 1;
      logger.error(text, { ...gap, count, reason: locked?.reason });
    } else if (this.#gaps === MAX_LOGGED_GAPS + 1) {
      logger.error("More than {most} gaps: further gaps go to plugins and are no longer logged", {
        most: MAX_LOGGED_GAPS,
      });
    }
    this.#intake.takeGap(gap);
    this.#busySince.set(gap.stream, this.#environment.clock.elapsed());
    try {
      await this.receivers.gap(gap, signal);
    } finally {
      this.#busySince.delete(gap.stream);
    }
  }

  /** Moves the cursor behind a reported gap, whose newest updates are then restored. */
  pass(gap: Gap): void {
    const { stream, first, last } = gap;
    this.#state.transaction(() => {
      this.#noteMissed(gap);
      this.#state.cursors.advance(stream, { from: first - 1, to: last });
    }, { durable: false });
  }

  /** Gives up the rest of a stream, a reported gap, whose newest updates are then restored. */
  giveUp(gap: Gap): void {
    this.#state.transaction(() => {
      this.#noteMissed(gap);
      this.#state.cursors.giveUp(gap.stream);
    }, { durable: false });
  }

  #noteMissed({ stream, ...gap }: Gap): void {
    this.#state.newest.noteMissed(stream, gap);
    if (!this.#state.isInMemory) this.#state.restoring.require();
  }

  #stillSuperseded(ids: ReadonlySet<string>): Superseded {
    const until = this.#environment.clock.elapsed() + CURSOR_INTERVAL_MS;
    return { ids, revision: this.#state.newest.revision(), until };
  }

  async #deliver(
    stream: string,
    stored: StoredUpdate,
    { superseded, signal }: { superseded: Superseded; signal: AbortSignal },
  ): Promise<FailedCall[]> {
    using _lock = await this.receivers.lock(stored.url, signal);
    const isSuperseded = () => this.#isKnownSuperseded(stored, superseded);
    return await this.receivers.handOver({ stream, stored, isSuperseded }, signal);
  }

  /** Whether the update is superseded; undefined when what is known is out of date. */
  #isKnownSuperseded({ id }: StoredUpdate, known: Superseded): boolean | undefined {
    const holds = known.revision === this.#state.newest.revision() &&
      this.#environment.clock.elapsed() < known.until;
    return holds ? known.ids.has(id) : undefined;
  }

  /** Moves the cursor without syncing: after a crash, the last updates are delivered again. */
  #moveCursor(
    stream: string,
    move: { from: number; to: number },
    letters: readonly DeadLetter[],
  ): void {
    this.#state.transaction(() => {
      for (const letter of letters) this.#state.deadLetters.add(letter);
      this.#state.cursors.advance(stream, move);
    }, { durable: false });
  }
}
