/**
 * Reading one stream: from its cursor to its end, in order, never over a hole in silence.
 *
 * @module
 */
import { behindHole, chainFrom } from "./chain.ts";
import { GapProof } from "./gap_proof.ts";
import { UnreadableObjects } from "./unreadable_objects.ts";
import type { PackedObject } from "../log/bucket_log.ts";
import type { DecodedObject } from "../log/codec.ts";
import type { ReadContext, TailNews } from "./read_context.ts";
import { sleep } from "../base/environment.ts";
import {
  isLocked,
  isUnreadable,
  messageOf,
  MissingObjectError,
  type UnreadableError,
} from "../errors.ts";
import { fetchAhead, startFetching } from "./fetch_ahead.ts";
import { LOCKED_LIVES } from "../retention/expiry.ts";
import type { ObjectKind, ObjectName } from "../log/names.ts";
import type { Held } from "./memory_budget.ts";
import type { State } from "../state/state.ts";

/** Reads one stream until nothing more is known of it. */
export class StreamReader {
  readonly #context: ReadContext;
  readonly #stream: string;
  readonly #isTailListed: boolean;
  #names: readonly ObjectName[];
  /** What was known once, and the last listing does not show. */
  readonly #vanished = new Map<string, ObjectName>();
  readonly #unreadable = new UnreadableObjects();
  readonly #proof: GapProof;
  /** The segments behind the cursor were asked for. */
  #hasPeeked = false;

  /** A reader of `stream` that starts with what is known of its tail. */
  constructor(context: ReadContext, stream: string, { commits, isListing }: TailNews) {
    this.#context = context;
    this.#stream = stream;
    this.#names = commits;
    this.#proof = new GapProof(context.environment.clock);
    this.#isTailListed = isListing;
  }

  /**
   * Reads and applies; resolves when the end is reached.
   *
   * @throws {UnreadableError} when an object is in the way that cannot be read.
   */
  async run(): Promise<void> {
    const { state, environment: { clock }, signal } = this.#context;
    for (let before = -1;;) {
      signal.throwIfAborted();
      const cursor = state.cursors.get(this.#stream);
      if (cursor !== before) this.#startAnew(cursor);
      before = cursor;
      const names = this.#unreadable.usable(this.#names, cursor);
      const obstacle = this.#unreadable.obstacleAfter(this.#names, cursor);
      const isOver = names.length === 0 && state.cursors.reach(this.#stream) <= cursor;
      if (isOver && !obstacle) return;
      const chain = chainFrom(names, cursor);
      if (chain.length > 0) {
        await this.#readChain(chain);
      } else if (obstacle && this.#waitsFor(obstacle, names, cursor)) {
        throw obstacle;
      } else if (!this.#hasPeeked) {
        await this.#peek(cursor);
      } else if (obstacle ? this.#proof.hasLookedOften : this.#isHoleProven(cursor, names)) {
        await this.#crossHole(names, cursor);
      } else {
        if (this.#proof.hasLooked) await sleep(clock, this.#proof.pauseMs, signal);
        await this.#list();
      }
    }
  }

  #startAnew(cursor: number): void {
    this.#hasPeeked = false;
    this.#proof.restart();
    for (const { key, last } of this.#vanished.values()) {
      if (last <= cursor) this.#vanished.delete(key);
    }
  }

  /**
   * Lists the segments that follow, where listings are sorted: what comes next is among them as a rule.
   * That it is not shows no hole.
   */
  async #peek(cursor: number): Promise<void> {
    this.#hasPeeked = true;
    const known = this.#isTailListed
      ? this.#names.filter(({ kind }) => kind === "tail")
      : await this.#listKind("tail");
    this.#setNames(known, await this.#listKind("segments", cursor));
  }

  /** Lists all of the stream, and always the tail before the segments: commits turn into those. */
  async #list(): Promise<void> {
    const { state, environment: { clock } } = this.#context;
    const begun = clock.elapsed();
    const commits = await this.#listKind("tail");
    this.#setNames(commits, await this.#listKind("segments"));
    const cursor = state.cursors.get(this.#stream);
    this.#proof.note(begun, this.#names.some((name) => holdsNext(name, cursor)));
  }

  /** Makes a listing when it is its turn: there may be a great many streams. */
  #listKind(kind: ObjectKind, beyond?: number): Promise<ObjectName[]> {
    const { log, requests, signal } = this.#context;
    return requests.run(() => log.listStream(kind, this.#stream, { beyond, signal }));
  }

  #setNames(commits: readonly ObjectName[], segments: readonly ObjectName[]): void {
    for (const name of this.#names) this.#vanished.set(name.key, name);
    this.#names = [...commits, ...segments];
    for (const { key } of this.#names) this.#vanished.delete(key);
    this.#unreadable.forgetAbsent();
  }

  /** Applies object after object, as far as they can be read. */
  async #readChain(chain: readonly ObjectName[]): Promise<void> {
    const { state, delivery, signal } = this.#context;
    for await (const { name, fetched } of fetchAhead(this.#context, chain)) {
      using object = await this.#read(name, fetched);
      if (!object) return;
      const { updates } = object.value;
      const cursor = state.cursors.get(this.#stream);
      if (name.first > cursor + 1) return; // It was set back meanwhile, at a fork.
      await delivery.apply(this.#stream, updates.filter(({ seq }) => seq > cursor), signal);
    }
  }

  /** What is in the object, when there is room for it; undefined when it cannot be relied on. */
  async #read(
    name: ObjectName,
    fetching: Promise<PackedObject | undefined>,
  ): Promise<Held<DecodedObject> | undefined> {
    const { decoded } = this.#context;
    try {
      const fetched = await fetching;
      if (fetched) return await decoded.hold(() => this.#take(fetched));
    } catch (error) {
      this.#setAside(name, error);
      return undefined;
    }
    await this.#noteAbsent(name);
  }

  /**
   * A GET found nothing: the object was sealed or superseded meanwhile, or the store does not show it
   * yet. That alone is never a hole, so look again, and fetch it again if it is still listed.
   */
  async #noteAbsent(name: ObjectName): Promise<void> {
    const isFirst = this.#unreadable.addAbsent(name);
    this.#noteSeen(name);
    if (!isFirst) return;
    this.#proof.lookAgain();
    await this.#list();
  }

  /** What the stream before it had is missing when it is not there: its end may have expired unseen. */
  #take(packed: PackedObject): DecodedObject {
    const object = packed.decode();
    const { continues } = object;
    if (continues) this.#note(({ cursors }) => cursors.noteEnd(continues.stream, continues.last));
    return object;
  }

  /** Goes on without an object that cannot be read; what else went wrong is thrown again. */
  #setAside(name: ObjectName, error: unknown): void {
    if (!isUnreadable(error)) {
      const cursor = this.#context.state.cursors.get(this.#stream);
      if (holdsNext(name, cursor)) this.#context.unfetched.set(this.#stream, cursor);
      throw error;
    }
    this.#noteSeen(name);
    this.#unreadable.addDamaged(name, error);
    this.#context.onUnreadable(error);
  }

  /**
   * An object with the next update was seen, but not read. The state remembers that until the cursor moves:
   * then it takes more to prove that there is none.
   */
  #noteSeen(name: ObjectName): void {
    const cursor = this.#context.state.cursors.get(this.#stream);
    if (holdsNext(name, cursor)) this.#hold(cursor);
  }

  /** Notes that the stream waits; returns since when it does, by the store's clock. */
  #hold(cursor: number): number {
    const now = Math.round(this.#context.log.now()); // The clock here may be set meanwhile.
    return this.#note(({ cursors }) => cursors.hold(this.#stream, cursor, now));
  }

  /** Whether to wait: for a key or an upgrade as long as it takes, for other objects until that was long enough. */
  #waitsFor(obstacle: UnreadableError, names: readonly ObjectName[], cursor: number): boolean {
    const { patience, wasHeld, onUnreadable } = this.#context;
    const isAbsent = obstacle instanceof MissingObjectError;
    // An absent object is fetched again after each listing before it holds up its stream.
    if (isAbsent && !wasHeld && !this.#proof.hasLookedOften) return false;
    const hasLooked = this.#proof.hasLooked || wasHeld && this.#hasPeeked;
    if (!hasLooked && names.length > 0) return false;
    if (this.#noteLock(obstacle, cursor)) return true;
    const waitedMs = this.#context.log.now() - this.#hold(cursor);
    const lives = this.#context.state.cursors.locked(this.#stream) ? LOCKED_LIVES : 1;
    if (names.length > 0 && waitedMs >= lives * patience) return false;
    if (isAbsent) onUnreadable(obstacle);
    return true;
  }

  /** Notes whether the stream waits for a key or an upgrade: cleanup and a later gap ask for that. */
  #noteLock(obstacle: UnreadableError, cursor: number): boolean {
    if (obstacle instanceof MissingObjectError) return false; // It may be locked when it is there.
    const isWaiting = isLocked(obstacle);
    this.#note(({ cursors }) => {
      if (isWaiting) cursors.noteLocked(this.#stream, cursor, messageOf(obstacle));
      else cursors.noteUnlocked(this.#stream);
    });
    return isWaiting;
  }

  /** Whether nothing has led on from the cursor for long enough. */
  #isHoleProven(cursor: number, names: readonly ObjectName[]): boolean {
    const { state: { cursors }, unfetched, announced } = this.#context;
    const end = behindHole(names, cursor)?.first ?? Infinity;
    const known = [...this.#vanished.values(), ...announced(this.#stream)];
    // Without anything behind the hole, only an earlier listing can have told how far the stream goes.
    const wasSeen = names.length === 0 || cursors.isHeld(this.#stream, cursor) ||
      unfetched.get(this.#stream) === cursor ||
      known.some(({ first, last }) => first < end && last > cursor);
    return this.#proof.isProven({ wasSeen });
  }

  /** Reports the gap, once the object behind it is read: a key alone moves no cursor. */
  async #crossHole(names: readonly ObjectName[], cursor: number): Promise<void> {
    const { state, delivery, signal } = this.#context;
    const behind = behindHole(names, cursor);
    if (!behind) return await this.#giveUp(cursor);
    using object = await this.#read(behind, startFetching(this.#context, behind));
    if (!object) return;
    // What is listed, but absent, is no part of it: that is waited for in its turn.
    const absent = this.#unreadable.absentBeyond(this.#names, cursor);
    const next = behindHole([behind, ...absent], cursor)!;
    const gap = { stream: this.#stream, first: cursor + 1, last: next.first - 1 };
    await delivery.gap(gap, { signal, locked: state.cursors.locked(this.#stream) });
    delivery.pass(gap);
    if (next.first < behind.first) return;
    await delivery.apply(this.#stream, object.value.updates, signal);
  }

  /** Nothing is left of what there was. */
  async #giveUp(cursor: number): Promise<void> {
    const { state, delivery, signal } = this.#context;
    const last = state.cursors.reach(this.#stream);
    const locked = state.cursors.locked(this.#stream);
    await delivery.gap({ stream: this.#stream, first: cursor + 1, last }, { signal, locked });
    this.#note(({ cursors }) => cursors.giveUp(this.#stream));
  }

  /** Writes to the state. Not synced: what a crash of the machine takes is found out anew. */
  #note<T>(work: (state: State) => T): T {
    const { state } = this.#context;
    return state.transaction(() => work(state), { durable: false });
  }
}

/** Whether the update after the cursor is in the object. */
function holdsNext({ first, last }: ObjectName, cursor: number): boolean {
  return first <= cursor + 1 && last > cursor;
}
