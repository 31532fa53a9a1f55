/**
 * Reads one stream in order, from its cursor to its end. Holes are reported, never skipped
 * silently.
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

/** Reads one stream up to the last known update. */
export class StreamReader {
  readonly #context: ReadContext;
  readonly #stream: string;
  readonly #isTailListed: boolean;
  #names: readonly ObjectName[];
  /** What was known once, and the last listing does not show. */
  readonly #vanished = new Map<string, ObjectName>();
  readonly #unreadable = new UnreadableObjects();
  readonly #proof: GapProof;
  /** Whether the segments behind the cursor were listed. */
  #hasPeeked = false;

  /** Creates a reader of `stream` that starts with the known commits of its tail. */
  constructor(context: ReadContext, stream: string, { commits, isListing }: TailNews) {
    this.#context = context;
    this.#stream = stream;
    this.#names = commits;
    this.#proof = new GapProof(context.environment.clock);
    this.#isTailListed = isListing;
  }

  /**
   * Reads and applies updates; resolves at the end of the stream.
   *
   * @throws {UnreadableError} when the next object cannot be read.
   */
  async run(): Promise<void> {
    const { state, environment: { clock }, signal } = this.#context;
    for (let before = -1;;) {
      signal.throwIfAborted();
      const cursor = state.cursors.get(this.#stream);
      if (cursor !== before) this.#restart(cursor);
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

  #restart(cursor: number): void {
    this.#hasPeeked = false;
    this.#proof.restart();
    for (const { key, last } of this.#vanished.values()) {
      if (last <= cursor) this.#vanished.delete(key);
    }
  }

  /**
   * Lists the segments behind the cursor, if the store sorts listings. The next update is usually
   * in one of them; if not, that does not prove a hole.
   */
  async #peek(cursor: number): Promise<void> {
    this.#hasPeeked = true;
    const known = this.#isTailListed
      ? this.#names.filter(({ kind }) => kind === "tail")
      : await this.#listKind("tail");
    this.#setNames(known, await this.#listKind("segments", cursor));
  }

  /** Lists the whole stream; the tail comes first, because commits are sealed into segments. */
  async #list(): Promise<void> {
    const { state, environment: { clock } } = this.#context;
    const begun = clock.elapsed();
    const commits = await this.#listKind("tail");
    this.#setNames(commits, await this.#listKind("segments"));
    const cursor = state.cursors.get(this.#stream);
    this.#proof.note(begun, this.#names.some((name) => holdsNext(name, cursor)));
  }

  /** Lists objects, as soon as a request is allowed: there may be a great many streams. */
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

  /** Applies the objects in order, up to the first that cannot be read. */
  async #readChain(chain: readonly ObjectName[]): Promise<void> {
    const { delivery, signal } = this.#context;
    await delivery.inOneRun(this.#stream, signal, async (run) => {
      for await (const { name, fetched } of fetchAhead(this.#context, chain)) {
        using object = await this.#read(name, fetched);
        if (!object) return;
        const { position } = run;
        // At a fork, the cursor is set back.
        if (position === undefined || name.first > position + 1) return;
        await run.add(object.value.updates.filter(({ seq }) => seq > position));
      }
    });
  }

  /** Decodes the object once the memory budget allows it; undefined when it cannot be read. */
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
   * Called when a GET finds nothing: the object was sealed or superseded meanwhile, or the store
   * does not return it yet. That alone does not prove a hole: so list again, and fetch the object
   * again if it is still listed.
   */
  async #noteAbsent(name: ObjectName): Promise<void> {
    const isFirst = this.#unreadable.addAbsent(name);
    this.#noteSeen(name);
    if (!isFirst) return;
    this.#proof.lookAgain();
    await this.#list();
  }

  /**
   * Decodes the object. If its stream continues another, notes where that one ended, so that a lost
   * end is reported as a gap.
   */
  #take(packed: PackedObject): DecodedObject {
    const object = packed.decode();
    const { continues } = object;
    if (continues) this.#note(({ cursors }) => cursors.noteEnd(continues.stream, continues.last));
    return object;
  }

  /** Continues without an object that cannot be read; rethrows all other errors. */
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
   * Notes in the state that an object with the next update was seen, but not read. Until the cursor
   * moves, it then takes more evidence to prove a hole.
   */
  #noteSeen(name: ObjectName): void {
    const cursor = this.#context.state.cursors.get(this.#stream);
    if (holdsNext(name, cursor)) this.#hold(cursor);
  }

  /** Notes that the stream waits; returns since when it has waited, by the store's clock. */
  #hold(cursor: number): number {
    const now = Math.round(this.#context.log.now()); // The local clock may be changed meanwhile.
    return this.#note(({ cursors }) => cursors.hold(this.#stream, cursor, now));
  }

  /** Whether to wait: without limit for a key or an upgrade, else for `patienceMs`. */
  #waitsFor(obstacle: UnreadableError, names: readonly ObjectName[], cursor: number): boolean {
    const { patienceMs, wasHeld, onUnreadable } = this.#context;
    const isAbsent = obstacle instanceof MissingObjectError;
    // An absent object is fetched again after each listing before it holds up its stream.
    if (isAbsent && !wasHeld && !this.#proof.hasLookedOften) return false;
    const hasLooked = this.#proof.hasLooked || wasHeld && this.#hasPeeked;
    if (!hasLooked && names.length > 0) return false;
    if (this.#noteLock(obstacle, cursor)) return true;
    const waitedMs = this.#context.log.now() - this.#hold(cursor);
    const lives = this.#context.state.cursors.locked(this.#stream) ? LOCKED_LIVES : 1;
    if (names.length > 0 && waitedMs >= lives * patienceMs) return false;
    if (isAbsent) onUnreadable(obstacle);
    return true;
  }

  /** Notes whether the stream waits for a key or an upgrade, for the report of a later gap. */
  #noteLock(obstacle: UnreadableError, cursor: number): boolean {
    if (obstacle instanceof MissingObjectError) return false; // It may turn out to be locked.
    const isWaiting = isLocked(obstacle);
    this.#note(({ cursors }) => {
      if (isWaiting) cursors.noteLocked(this.#stream, cursor, messageOf(obstacle));
      else cursors.noteUnlocked(this.#stream);
    });
    return isWaiting;
  }

  /** Whether enough listings have shown no object with the next update. */
  #isHoleProven(cursor: number, names: readonly ObjectName[]): boolean {
    const { state: { cursors }, unfetched, announced } = this.#context;
    const end = behindHole(names, cursor)?.first ?? Infinity;
    const known = [...this.#vanished.values(), ...announced(this.#stream)];
    // With nothing behind the hole, only an earlier listing can have shown the end of the stream.
    const wasSeen = names.length === 0 || cursors.isHeld(this.#stream, cursor) ||
      unfetched.get(this.#stream) === cursor ||
      known.some(({ first, last }) => first < end && last > cursor);
    return this.#proof.isProven({ wasSeen });
  }

  /** Reports the gap after reading the object behind it: a key alone must not move the cursor. */
  async #crossHole(names: readonly ObjectName[], cursor: number): Promise<void> {
    const { state, delivery, signal } = this.#context;
    const behind = behindHole(names, cursor);
    if (!behind) return await this.#giveUp(cursor);
    using object = await this.#read(behind, startFetching(this.#context, behind));
    if (!object) return;
    // The gap ends before any object that is listed but absent: that one is waited for later.
    const absent = this.#unreadable.absentBeyond(this.#names, cursor);
    const next = behindHole([behind, ...absent], cursor)!;
    const gap = { stream: this.#stream, first: cursor + 1, last: next.first - 1 };
    await delivery.gap(gap, { signal, locked: state.cursors.locked(this.#stream) });
    delivery.pass(gap);
    if (next.first < behind.first) return;
    await delivery.apply(this.#stream, object.value.updates, signal);
  }

  /** Reports a gap up to the end of the stream, when nothing is left behind the cursor. */
  async #giveUp(cursor: number): Promise<void> {
    const { state, delivery, signal } = this.#context;
    const last = state.cursors.reach(this.#stream);
    const locked = state.cursors.locked(this.#stream);
    const gap = { stream: this.#stream, first: cursor + 1, last };
    await delivery.gap(gap, { signal, locked });
    delivery.giveUp(gap);
  }

  /**
   * Writes to the state without syncing: after a crash of the machine the same is found out again.
   */
  #note<T>(work: (state: State) => T): T {
    const { state } = this.#context;
    return state.transaction(() => work(state), { durable: false });
  }
}

/** Whether the object holds the update after the cursor. */
function holdsNext({ first, last }: ObjectName, cursor: number): boolean {
  return first <= cursor + 1 && last > cursor;
}
