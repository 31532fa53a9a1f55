import type { ConsumerGap, ConsumerLine } from "../../lib/consumers/consumer.ts";
import type { Consumers } from "../../lib/consumers/consumers.ts";
import { type Cursor, parseCursor } from "../../lib/consumers/cursor.ts";
import {
  ExpiredCursorError,
  InvalidCursorError,
  ReaderReplacedError,
  UnknownConsumerError,
} from "../../lib/consumers/errors.ts";
import {
  AccessDeniedError,
  ClosedError,
  isUnreadable,
  messageOf,
  StoreUnavailableError,
} from "../../lib/errors.ts";
import { comparePositions } from "../../lib/state/consumers.ts";
import { ConsumerChecks } from "./consumer_checks.ts";
import type { ConsumerHabits } from "./mix.ts";
import type { Process } from "./process.ts";
import type { Server } from "./server.ts";
import type { World } from "./world.ts";

/** Which state a program has spoken to: another one after a restore, or when power was lost. */
type Lineage = number;

/** A program that is handed updates. What it has processed survives all that happens to feedsync. */
export class Consumer {
  readonly name: string;
  readonly habits: ConsumerHabits;
  readonly world: World;
  readonly server: Server;
  readonly checks: ConsumerChecks;
  #cancelStep = () => {};
  #isWorking = false;
  /** Whether it knows that feedsync knows it. */
  #isKnown = false;
  /** The last line that it processed, until it is acknowledged. */
  #pending: { readonly cursor: string; readonly lineage: Lineage } | undefined;
  /** The furthest cursor that was acknowledged, and where. */
  #acked: { readonly cursor: Cursor; readonly text: string; readonly lineage: Lineage } | undefined;

  /** A program that starts soon. */
  constructor(server: Server, world: World, { name, habits }: {
    readonly name: string;
    readonly habits: ConsumerHabits;
  }) {
    this.server = server;
    this.world = world;
    this.name = name;
    this.habits = habits;
    this.checks = new ConsumerChecks(this);
    this.#after(0);
  }

  /** Whether nothing is left to hand to it. */
  hasAll({ state }: Process): boolean {
    const consumer = state.consumers.get(this.name);
    return consumer !== undefined && !this.#pending &&
      state.walks.left(this.name, consumer) === 0 &&
      state.inbox.waitingSince(consumer.row, consumer) === undefined;
  }

  /** A line of the trace. */
  note(what: string): void {
    this.world.note(this.name, what);
  }

  /** A promise is broken. */
  fail(message: string): void {
    this.world.fail(`${this.name}: ${message}`);
  }

  /** It does not wait for its next step. */
  hurry(): void {
    if (this.#isWorking) return;
    this.#cancelStep();
    this.#after(0);
  }

  #after(ms: number): void {
    this.#cancelStep = this.world.timeline.after(ms, () => this.#step());
  }

  async #step(): Promise<void> {
    const { chance, mix, settling } = this.world, { process } = this.server;
    const pause = settling ? 2000 : chance.between(0, chance.pick(mix.consumerGaps));
    if (!process || process.stopping) return this.#after(pause + 500);
    this.#isWorking = true;
    try {
      await process.consume((consumers) => this.#work(process, consumers));
    } catch (error) {
      this.#noteFailure(error);
    }
    this.#isWorking = false;
    this.#after(this.world.settling ? 2000 : pause);
  }

  async #work(process: Process, consumers: Consumers): Promise<void> {
    const { chance, mix } = this.world, { limit } = this.habits;
    if (!this.#isKnown) this.#put(process, consumers);
    if (this.#pending && this.#happens(mix.consumers.readsAhead)) {
      await this.#read(process, consumers, { after: this.#pending.cursor });
    } else if (!this.#happens(mix.consumers.losesAcks)) this.#ack(consumers);
    if (this.#happens(mix.consumers.restartsReading)) {
      const replaced = consumers.read(this.name, { waitMs: 1000 });
      replaced.catch((error) => {
        const isReplaced = error instanceof ReaderReplacedError;
        if (process.alive && !isReplaced) this.#noteFailure(error);
      });
    }
    if (this.#happens(mix.consumers.forgets)) this.#forget(process, consumers);
    const waitMs = chance.pick([0, 0, 0, 1000]);
    await this.#read(process, consumers, { limit: chance.whole(1, limit), waitMs });
  }

  #happens(probability: number): boolean {
    return !this.world.settling && this.world.chance.happens(probability);
  }

  #put(process: Process, consumers: Consumers): void {
    const { from, own } = this.habits;
    const isNew = consumers.get(this.name) === undefined;
    consumers.put(this.name, { from, own });
    if (isNew || !this.checks.wasMade) this.checks.entered(process);
    this.note(`${isNew ? "is made" : "is known"}, from ${from}`);
    this.#isKnown = true;
    this.#pending = undefined;
  }

  /** It begins again, as if it had lost its memory of where it was. */
  #forget(process: Process, consumers: Consumers): void {
    if (this.habits.from !== "newest") return;
    consumers.seek(this.name, "newest");
    this.checks.entered(process);
    this.note("begins again");
    this.#pending = this.#acked = undefined;
  }

  #ack(consumers: Consumers): void {
    const { chance, mix } = this.world, lineage = this.server.lineage;
    if (this.#acked && this.#happens(mix.consumers.repeatsAcks)) {
      this.#send(consumers, this.#acked.text, this.#acked.lineage);
    }
    if (!this.#pending) return;
    const { cursor } = this.#pending;
    if (!this.#send(consumers, cursor, this.#pending.lineage)) return;
    this.#acked = { cursor: parseCursor(cursor), text: cursor, lineage };
    this.#pending = undefined;
    if (chance.happens(0.1)) this.#send(consumers, cursor, lineage);
  }

  /** Acknowledges; only a cursor of a state that is no more may be refused. */
  #send(consumers: Consumers, cursor: string, lineage: Lineage): boolean {
    try {
      consumers.ack(this.name, cursor);
      this.note(`acknowledges ${cursor}`);
      return true;
    } catch (error) {
      const isRefused = error instanceof ExpiredCursorError;
      if (!isRefused && !(error instanceof InvalidCursorError)) throw error;
      this.note(`${cursor} is refused: ${error.name}`);
      if (lineage === this.server.lineage) this.fail(`${cursor} was refused: ${error.message}`);
      if (!isRefused) this.fail(`${cursor} of a former state counts as invalid: ${error.message}`);
      this.#pending = this.#acked = undefined;
      return false;
    }
  }

  async #read(
    process: Process,
    consumers: Consumers,
    options: { readonly after?: string; readonly limit?: number; readonly waitMs?: number },
  ): Promise<void> {
    const { server, world: { mix } } = this, lineage = server.lineage;
    const lines = await consumers.read(this.name, { ...options, content: "text" });
    if (!process.alive) return; // The answer was lost.
    for (const line of lines) {
      if (this.#happens(mix.consumers.crashes)) {
        this.note("crashes");
        this.#pending = undefined;
        return;
      }
      this.#take(line, { lineage, isAhead: options.after !== undefined });
    }
  }

  #take(line: ConsumerLine, { lineage, isAhead }: { lineage: Lineage; isAhead: boolean }): void {
    const { cursor, update } = line, gap: ConsumerGap | undefined = line.gap;
    const isOld = this.#acked?.lineage === lineage && !isAhead &&
      comparePositions(parseCursor(cursor), this.#acked.cursor) <= 0;
    if (isOld) this.fail(`was handed ${cursor} again, which it had acknowledged`);
    if (update) {
      this.note(`is handed ${update.stream}/${update.seq} at ${cursor}`);
      this.checks.took(update);
    } else {
      this.note(`is told of ${gap!.stream}/${gap!.first}-${gap!.last} (${gap!.reason})`);
      this.checks.missed(gap!);
    }
    this.#pending = { cursor, lineage };
  }

  #noteFailure(error: unknown): void {
    if (error instanceof UnknownConsumerError) {
      this.note("is unknown");
      this.#isKnown = false;
      this.#pending = this.#acked = undefined;
      return;
    }
    // What was read ahead of may have been of a former state.
    if (error instanceof ExpiredCursorError) return void (this.#pending = undefined);
    const isExpected = error instanceof StoreUnavailableError ||
      error instanceof AccessDeniedError || isUnreadable(error) ||
      error instanceof ClosedError;
    if (!isExpected) this.fail(`failed: ${error instanceof Error ? error.stack : error}`);
    this.note(`failed: ${messageOf(error)}`);
  }
}
