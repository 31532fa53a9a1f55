/**
 * Reading one stream: from its cursor to its end, in order, never over a hole in silence.
 *
 * @module
 */
import { behindHole, chainFrom } from "./chain.ts";
import { type DecodedObject, decodeObject, type StoredUpdate } from "../codec.ts";
import type { Delivery } from "./delivery.ts";
import type { Envelope } from "../encryption/envelope.ts";
import { type Environment, sleep } from "../environment.ts";
import type { DeliveredCommits } from "./delivered_commits.ts";
import { CorruptObjectError, MissingKeyError } from "../errors.ts";
import type { ObjectName } from "../keys.ts";
import type { Limit } from "./limit.ts";
import { listStream } from "../listing.ts";
import type { State } from "../state/state.ts";
import type { ObjectStore } from "../stores/store.ts";

/** A hole is a gap once it was there in so many listings … */
const HOLE_LISTINGS = 3;

/** … over at least so many milliseconds. */
const HOLE_TIME = 2000;

/** How many objects of a stream are fetched ahead. */
const PREFETCH = 4;

/** What reading stands on. */
export interface ReadContext {
  /** Cursors. */
  readonly state: State;
  /** The bucket. */
  readonly store: ObjectStore;
  /** What objects are stored in. */
  readonly envelope: Envelope;
  /** Time. */
  readonly environment: Environment;
  /** Hands updates to the plugins and moves the cursor. */
  readonly delivery: Delivery;
  /** Bounds the GETs and LISTs under way. */
  readonly gets: Limit;
  /** What came by other ways than from the bucket, and need not be fetched. */
  readonly delivered: DeliveredCommits;
  /** After so many milliseconds an unreadable object is given up. */
  readonly patience: number;
  /** Told of every object that is not what its key says, or for which a key is missing. */
  readonly onUnreadable: (error: CorruptObjectError | MissingKeyError) => void;
  /** Ends reading. */
  readonly signal: AbortSignal;
}

/** What came of an object: its updates, or what is in it; undefined when it is gone. */
type Fetched =
  | { readonly decoded: DecodedObject; readonly body?: undefined }
  | { readonly decoded?: undefined; readonly body: Uint8Array }
  | undefined;

/** What is known of the tail of a stream. */
export interface TailNews {
  /** Commits. */
  readonly commits: readonly ObjectName[];
  /** These are all that there are: a listing showed them. Otherwise wake-ups told of some. */
  readonly isListing: boolean;
}

/** Reads one stream until nothing more is known of it. */
export class StreamReader {
  readonly #context: ReadContext;
  readonly #stream: string;
  readonly #isTailListed: boolean;
  #names: readonly ObjectName[];
  /** Objects that were gone, or cannot be read: not relied on any more in this run. */
  readonly #excluded = new Set<string>();
  readonly #unreadable: ObjectName[] = [];
  /** Those for which a key is missing: it may be added at any time, and they are never given up. */
  readonly #locked: { readonly name: ObjectName; readonly error: MissingKeyError }[] = [];
  /** Listings of both tail and segments that showed the hole after the cursor; and since when. */
  #listings = 0;
  #since = 0;

  /** A reader of `stream` that starts with what is known of its tail. */
  constructor(context: ReadContext, stream: string, { commits, isListing }: TailNews) {
    this.#context = context;
    this.#stream = stream;
    this.#names = commits;
    this.#isTailListed = isListing;
  }

  /**
   * Reads and applies; resolves when the end is reached or an unreadable object is in the way.
   *
   * @throws {MissingKeyError} when a key is missing for what comes next.
   */
  async run(): Promise<void> {
    const { state, environment: { clock }, signal } = this.#context;
    for (;;) {
      signal.throwIfAborted();
      const cursor = state.cursors.get(this.#stream);
      const names = this.#names.filter(({ key, last }) =>
        last > cursor && !this.#excluded.has(key)
      );
      const unreadable = this.#unreadable.some(({ last }) => last > cursor);
      const locked = this.#locked.find(({ name }) => name.last > cursor);
      if (names.length === 0 && locked) throw locked.error;
      if (names.length === 0 && unreadable) return void this.#hold(cursor);
      if (names.length === 0 && state.cursors.reach(this.#stream) <= cursor) return;
      const chain = chainFrom(names, cursor);
      if (chain.length > 0) {
        this.#listings = 0;
        await this.#readChain(chain);
      } else if (this.#listings === 0) {
        await this.#list(cursor, { tail: !this.#isTailListed });
      } else if (locked) {
        throw locked.error;
      } else if (unreadable && this.#hold(cursor)) {
        return;
      } else if (this.#listings >= HOLE_LISTINGS && clock.now() - this.#since >= HOLE_TIME) {
        await this.#crossHole(names, cursor);
      } else {
        await sleep(clock, HOLE_TIME / (HOLE_LISTINGS - 1), signal);
        await this.#list(cursor, { tail: true });
      }
    }
  }

  /** Lists the stream, when it is its turn: there may be a great many streams. */
  async #list(cursor: number, { tail }: { tail: boolean }): Promise<void> {
    if (this.#listings++ === 0) this.#since = this.#context.environment.clock.now();
    await this.#context.gets.run(() => this.#listNow(cursor, { tail }));
  }

  /** Lists the segments, and always before them the tail, which the poll has done the first time. */
  async #listNow(cursor: number, { tail }: { tail: boolean }): Promise<void> {
    const { store, signal } = this.#context;
    const options = { cursor, signal };
    const commits = tail
      ? await listStream(store, "tail", this.#stream, options)
      : this.#names.filter(({ kind }) => kind === "tail");
    const segments = await listStream(store, "segments", this.#stream, options);
    this.#names = [...commits, ...segments];
  }

  /** Applies object after object, fetching ahead, as far as they can be read. */
  async #readChain(chain: readonly ObjectName[]): Promise<void> {
    const { state, delivery, signal } = this.#context;
    const fetched: Promise<Fetched>[] = [];
    try {
      for (const [index, name] of chain.entries()) {
        while (fetched.length < Math.min(chain.length, index + PREFETCH)) {
          fetched.push(this.#fetch(chain[fetched.length]));
        }
        const updates = await this.#updatesIn(name, fetched[index]);
        if (!updates) return;
        const cursor = state.cursors.get(this.#stream);
        if (name.first > cursor + 1) return; // It was set back meanwhile, at a fork.
        await delivery.apply(this.#stream, updates.filter(({ seq }) => seq > cursor), signal);
      }
    } finally {
      await Promise.allSettled(fetched);
    }
  }

  #fetch(name: ObjectName): Promise<Fetched> {
    const { gets, store, envelope, delivered, signal } = this.#context;
    const decoded = delivered.take(name);
    if (decoded) return Promise.resolve({ decoded });
    const fetched = gets.run(() => store.get(name.key, { signal }))
      .then(async (stored) => stored && { body: await envelope.open(name, stored) });
    fetched.catch(() => {}); // Fetched ahead: the error counts when its turn comes.
    return fetched;
  }

  /** The updates of the object; undefined when it cannot be relied on. */
  async #updatesIn(
    name: ObjectName,
    fetching: Promise<Fetched>,
  ): Promise<readonly StoredUpdate[] | undefined> {
    try {
      const fetched = await fetching;
      if (fetched) return this.#take(fetched.decoded ?? decodeObject(name, fetched.body));
    } catch (error) {
      this.#setAside(name, error);
      return undefined;
    }
    // Sealed or superseded meanwhile: that alone is never a hole, so look again.
    this.#excluded.add(name.key);
    this.#listings = 0;
    await this.#list(this.#context.state.cursors.get(this.#stream), { tail: true });
  }

  /** What the stream before it had is missing when it is not there: its end may have expired unseen. */
  #take({ updates, continues }: DecodedObject): readonly StoredUpdate[] {
    if (continues) this.#context.state.cursors.noteEnd(continues.stream, continues.last);
    return updates;
  }

  /** Goes on without an object that cannot be read; what else went wrong is thrown again. */
  #setAside(name: ObjectName, error: unknown): void {
    if (error instanceof MissingKeyError) this.#locked.push({ name, error });
    else if (error instanceof CorruptObjectError) this.#unreadable.push(name);
    else throw error;
    this.#excluded.add(name.key);
    this.#context.onUnreadable(error);
  }

  /** Waits for the unreadable object; false when that was long enough. */
  #hold(cursor: number): boolean {
    const { state, environment: { clock }, patience } = this.#context;
    const now = Math.round(clock.now());
    return now - state.cursors.hold(this.#stream, cursor, now) < patience;
  }

  /** Reports the gap, once the object behind it is read: a key alone moves no cursor. */
  async #crossHole(names: readonly ObjectName[], cursor: number): Promise<void> {
    const { delivery, signal } = this.#context;
    const behind = behindHole(names, cursor);
    if (!behind) return await this.#giveUp(cursor);
    const updates = await this.#updatesIn(behind, this.#fetch(behind));
    if (!updates) return;
    this.#listings = 0;
    const gap = { stream: this.#stream, first: cursor + 1, last: behind.first - 1 };
    await delivery.gap(gap, signal);
    delivery.pass(gap);
    await delivery.apply(this.#stream, updates, signal);
  }

  /** Everything that there was has expired before it was read. */
  async #giveUp(cursor: number): Promise<void> {
    const { state: { cursors }, delivery, signal } = this.#context;
    const last = cursors.reach(this.#stream);
    await delivery.gap({ stream: this.#stream, first: cursor + 1, last }, signal);
    cursors.giveUp(this.#stream);
  }
}
