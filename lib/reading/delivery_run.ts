/**
 * Delivers consecutive updates of a stream, several at a time if plugins want that, and moves the
 * cursor behind them.
 *
 * @module
 */
import type { Environment } from "../base/environment.ts";
import { Pipeline } from "../base/pipeline.ts";
import type { StoredUpdate } from "../log/codec.ts";
import type { DeadLetter } from "../state/dead_letters.ts";
import type { State } from "../state/state.ts";
import type { Intake } from "./intake.ts";
import type { CatchingUp, FinishedUpdate } from "./reading_log.ts";
import type { FailedCall, Handover, Receivers } from "./receivers.ts";

/** Maximum time between two writes of the cursor; it is also written at the end of each object. */
const CURSOR_INTERVAL_MS = 100;

/** Dependencies of {@linkcode DeliveryRun}. */
export interface DeliveryRunContext {
  readonly state: State;
  readonly environment: Environment;
  readonly intake: Intake;
  readonly receivers: Receivers;
  /** Is told what was applied. */
  readonly catchingUp: CatchingUp;
  /** Stops between two updates, with the cursor stored. */
  readonly signal: AbortSignal;
}

/** An update that was delivered, and the calls that failed. */
interface Delivered {
  readonly update: FinishedUpdate;
  readonly failures: readonly FailedCall[];
}

/**
 * The updates of an object that were superseded when it arrived. Valid only for a short time, since
 * other processes may publish, and only until this process notes a newer update.
 */
interface Superseded {
  readonly seqs: ReadonlySet<number>;
  readonly revision: number;
  readonly until: number;
}

/** Applies updates of a stream, one object after the other. */
export class DeliveryRun {
  readonly #stream: string;
  readonly #context: DeliveryRunContext;
  readonly #concurrency: number;
  readonly #pipeline: Pipeline<Delivered>;
  /** The seq up to which the cursor is stored, and up to which updates are finished. */
  #stored: number;
  #finished: number;
  #storedAt: number;
  /** How often the stream had been set back when this run began. */
  readonly #setBacks: number;
  /** The seq up to which updates have begun. */
  #begun: number;
  /** When the last finished update was published. */
  #time: string | undefined;
  #busySince: number | undefined;

  /** Begins at the cursor. */
  constructor(stream: string, context: DeliveryRunContext) {
    const { state, environment: { clock }, receivers } = context;
    this.#stream = stream;
    this.#context = context;
    this.#begun = this.#finished = this.#stored = state.cursors.get(stream);
    this.#setBacks = state.cursors.setBacks(stream);
    this.#storedAt = clock.elapsed();
    this.#concurrency = receivers.concurrency;
    this.#pipeline = new Pipeline(this.#concurrency, (delivered) => this.#finish(delivered));
  }

  /** The seq behind which updates have yet to begin; undefined: the cursor was set back meanwhile. */
  get position(): number | undefined {
    if (this.#isSetBack) return undefined;
    return Math.max(this.#context.state.cursors.get(this.#stream), this.#begun);
  }

  /** Since when plugins are busy with an object, by the monotonic clock. */
  get busySince(): number | undefined {
    return this.#busySince;
  }

  /** The last finished update; absent when there is none. */
  get finished(): FinishedUpdate | undefined {
    return this.#time === undefined ? undefined : { seq: this.#finished, time: this.#time };
  }

  /** Applies updates that follow the position; some may still be under way afterwards. */
  async add(stored: readonly StoredUpdate[]): Promise<void> {
    if (stored.length === 0) return;
    const { state: { inbox }, environment: { clock }, intake, receivers, signal } = this.#context;
    const { updates, republished, superseded: seqs } = intake.take(this.#stream, stored);
    const superseded = this.#stillSuperseded(seqs);
    this.#busySince = clock.elapsed();
    inbox.beginApplying(this.#stream, updates[updates.length - 1].seq);
    const before = this.#concurrency > 1
      ? (count: number) => this.#pipeline.before(count)
      : undefined;
    for (const update of updates) {
      if (this.#pipeline.isFull) await this.#pipeline.finishOldest();
      signal.throwIfAborted();
      const { seq, url } = update;
      this.#begun = seq;
      let delivery: Promise<Delivered> | undefined;
      if (!republished.has(seq)) {
        // Locked in order: otherwise streams could wait for each other.
        const lock = receivers.tryLock(url) ?? await receivers.lock(url, signal);
        const handover = { stream: this.#stream, stored: update, before };
        delivery = this.#deliver(handover, lock, superseded);
      }
      if (!delivery && this.#pipeline.isEmpty) this.#noteFinished(update);
      else this.#pipeline.add(delivery ?? Promise.resolve({ update, failures: [] }));
    }
    if (this.#concurrency === 1) await this.finish();
  }

  /** Waits for what is under way, and stores the cursor. */
  async finish(): Promise<void> {
    await this.#pipeline.finish();
    this.#busySince = undefined;
    this.#store();
  }

  /** Does the same after a failure: the cursor stays before the first update that has failed. */
  async giveUp(): Promise<void> {
    try {
      await this.#pipeline.giveUp();
    } finally {
      this.#store();
    }
  }

  /** Ends it, whether it was finished or given up. */
  [Symbol.dispose](): void {
    this.#context.state.inbox.endApplying(this.#stream);
  }

  async #finish({ update, failures }: Delivered): Promise<void> {
    const { receivers } = this.#context;
    this.#noteFinished(update, failures.map((failed) => receivers.letter(failed)));
    for (const failed of failures) await receivers.reportDeadLetter(failed);
  }

  /** Stores the cursor now and then; dead letters at once: they are retried as soon as another update is applied. */
  #noteFinished({ seq, time }: FinishedUpdate, letters: readonly DeadLetter[] = []): void {
    this.#finished = seq;
    this.#time = time;
    const elapsedMs = this.#context.environment.clock.elapsed() - this.#storedAt;
    if (letters.length > 0 || elapsedMs >= CURSOR_INTERVAL_MS) this.#store(letters);
  }

  /** Moves the cursor without syncing: after a crash, the last updates are delivered again. */
  #store(letters: readonly DeadLetter[] = []): void {
    const { state, environment: { clock }, catchingUp } = this.#context;
    const from = this.#stored, to = this.#finished;
    // Otherwise everything is read again: the cursor may have been where it was set back to.
    if (to > from && !this.#isSetBack) {
      state.transaction(() => {
        for (const letter of letters) state.deadLetters.add(letter);
        state.cursors.advance(this.#stream, { from, to });
      }, { durable: false });
      catchingUp.applied(to - from, this.#time!);
    }
    this.#stored = to;
    this.#storedAt = clock.elapsed();
  }

  /** Perhaps by another process: then the cursor tells. */
  get #isSetBack(): boolean {
    const { cursors } = this.#context.state;
    return cursors.setBacks(this.#stream) > this.#setBacks ||
      cursors.get(this.#stream) < this.#stored;
  }

  /** Delivers an update; `undefined` when the plugins have applied it without waiting for anything. */
  #deliver(
    handover: Handover,
    lock: Disposable,
    known: Superseded,
  ): Promise<Delivered> | undefined {
    const { receivers, signal } = this.#context, { stored } = handover;
    const isSuperseded = () => this.#isKnownSuperseded(stored, known);
    const calls = receivers.handOver({ ...handover, isSuperseded }, signal);
    if (calls) return whenDelivered(stored, calls, lock);
    lock[Symbol.dispose]();
    return undefined;
  }

  #stillSuperseded(seqs: ReadonlySet<number>): Superseded {
    const { state, environment: { clock } } = this.#context;
    const until = clock.elapsed() + CURSOR_INTERVAL_MS;
    return { seqs, revision: state.newest.revision(), until };
  }

  /** Whether the update is superseded; undefined when what is known is out of date. */
  #isKnownSuperseded({ seq }: StoredUpdate, known: Superseded): boolean | undefined {
    const { state, environment: { clock } } = this.#context;
    const holds = known.revision === state.newest.revision() && clock.elapsed() < known.until;
    return holds ? known.seqs.has(seq) : undefined;
  }
}

async function whenDelivered(
  { seq, time }: StoredUpdate,
  calls: Promise<FailedCall[]>,
  lock: Disposable,
): Promise<Delivered> {
  using _lock = lock;
  return { update: { seq, time }, failures: await calls };
}
