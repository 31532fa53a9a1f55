/**
 * Delivers updates and gaps to the plugins, and moves cursors behind them.
 *
 * @module
 */
import type { Core } from "../state/core.ts";
import { getLogger } from "@logtape/logtape";
import type { StoredUpdate } from "../log/codec.ts";
import type { Environment } from "../base/environment.ts";
import type { BucketLog } from "../log/bucket_log.ts";
import { CatchingUp, logApplied } from "./reading_log.ts";
import { DeliveryRun } from "./delivery_run.ts";
import type { Intake } from "./intake.ts";
import { Receivers, type ReceiversOptions } from "./receivers.ts";
import type { LockedStream } from "../state/cursors.ts";
import type { State } from "../state/state.ts";
import type { Gap } from "../update.ts";

const logger = getLogger(["feedsync", "watch"]);

/** Maximum number of gaps logged: anyone who can write to the bucket can fake any number. */
const MAX_LOGGED_GAPS = 100;

const GAP = "Updates of {stream} are lost, {first} to {last}: no readable object in the bucket " +
  "holds them; if they have expired, this server was away for longer than 'retention'";

const LOCKED_GAP =
  "Updates of {stream} are lost, {first} to {last}: they are gone from the bucket, " +
  "and this server could not read them before: {reason}";

/** Added to both messages when the state is a file: only then does a watcher restore. */
const NEWEST_IS_KEPT = ". The newest update of each feed is restored";

/** Dependencies of {@linkcode Delivery}. */
export interface DeliveryOptions extends Core, ReceiversOptions {
  /** Takes updates in before they are delivered. */
  readonly intake: Intake;
}

/** Applies updates: in order per stream, as far as plugins want it, one at a time per URL. */
export class Delivery {
  readonly #state: State;
  readonly #intake: Intake;
  readonly #environment: Environment;
  readonly #log: BucketLog;
  /** How far catching up has come. */
  readonly catchingUp: CatchingUp;
  /** The plugins that receive the updates. */
  readonly receivers: Receivers;
  #gaps = 0;
  /** What plugins are busy with, and since when, by the monotonic clock. */
  readonly #busy = new Set<{ readonly busySince: number | undefined }>();

  /** Creates a delivery, without delivering anything yet. */
  constructor(options: DeliveryOptions) {
    const { state, log, environment, intake } = options;
    this.#state = state;
    this.#log = log;
    this.catchingUp = new CatchingUp(options);
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
    return this.#busy.values().some(({ busySince = now }) => now - busySince >= ms);
  }

  /** Applies updates that follow the cursor of their stream. */
  async apply(
    stream: string,
    stored: readonly StoredUpdate[],
    signal: AbortSignal,
  ): Promise<void> {
    await this.inOneRun(stream, signal, (run) => run.add(stored));
  }

  /**
   * Has `work` apply objects of a stream one after the other, and waits until all updates are
   * finished. Stops between two of them, with the cursor stored, when `signal` is aborted.
   */
  async inOneRun(
    stream: string,
    signal: AbortSignal,
    work: (run: DeliveryRun) => Promise<void>,
  ): Promise<void> {
    const { receivers, catchingUp } = this;
    const parts = { state: this.#state, environment: this.#environment, intake: this.#intake };
    using run = new DeliveryRun(stream, { ...parts, receivers, catchingUp, signal });
    this.#busy.add(run);
    try {
      await work(run);
      await run.finish();
      if (run.finished) logApplied(stream, run.finished, this.#log.now());
    } catch (error) {
      await run.giveUp();
      throw error;
    } finally {
      this.#busy.delete(run);
    }
  }

  /** Reports lost updates; `locked` says why they could not be read while they existed. */
  async gap(
    gap: Gap,
    { signal, locked }: { signal: AbortSignal; locked: LockedStream | undefined },
  ): Promise<void> {
    if (++this.#gaps <= MAX_LOGGED_GAPS) {
      const text = (locked ? LOCKED_GAP : GAP) + (this.#state.isInMemory ? "" : NEWEST_IS_KEPT);
      logger.error(text, { ...gap, reason: locked?.reason });
    } else if (this.#gaps === MAX_LOGGED_GAPS + 1) {
      logger.error("More than {most} gaps: further gaps go to plugins and are no longer logged", {
        most: MAX_LOGGED_GAPS,
      });
    }
    this.#intake.takeGap(gap);
    const call = { busySince: this.#environment.clock.elapsed() };
    this.#busy.add(call);
    try {
      await this.receivers.gap(gap, signal);
    } finally {
      this.#busy.delete(call);
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
}
