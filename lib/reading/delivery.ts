/**
 * Handing updates to the plugins, and moving the cursor behind them.
 *
 * @module
 */
import { getLogger } from "@logtape/logtape";
import type { StoredUpdate } from "../codec.ts";
import { Dating } from "./dating.ts";
import type { Environment } from "../environment.ts";
import { tellFailure } from "./failure.ts";
import { serverOf } from "../keys.ts";
import type { RunningPlugin } from "../plugin.ts";
import { type GivenUp, PluginCaller } from "./plugin_caller.ts";
import { firstRetryAt, Redelivery } from "./redelivery.ts";
import type { DeadLetter } from "../state/dead_letters.ts";
import type { State } from "../state/state.ts";
import type { ObjectStore } from "../stores/store.ts";
import { type Gap, hashOf, type Update, updateToJson } from "../update.ts";
import { type UrlTurns, urlTurnsOf } from "./url_turns.ts";

const logger = getLogger(["feedsync", "watch"]);

/** The cursor is stored at the end of each object, and at least so often, in milliseconds. */
const CURSOR_INTERVAL = 100;

/** No more gaps are logged, one by one: who can write to the bucket makes up any number. */
const MOST_GAPS_TOLD = 100;

/** What delivery stands on. */
export interface DeliveryOptions {
  /** The own state. */
  readonly state: State;
  /** By whose clock updates are dated. */
  readonly store: ObjectStore;
  /** Time and randomness. */
  readonly environment: Environment;
  /** Who receives the updates. */
  readonly plugins: readonly RunningPlugin[];
  /** Most milliseconds for one call. */
  readonly callbackTimeout: number;
  /** Ends running calls when a graceful stop takes too long. */
  readonly forced: AbortSignal;
}

/**
 * Which updates of an object were superseded when it arrived. Holds for a short time, since other
 * processes may publish, and as long as this one notes nothing.
 */
interface Superseded {
  readonly ids: ReadonlySet<string>;
  readonly revision: number;
  readonly until: number;
}

/** Applies updates: in order per stream, one at a time per URL. */
export class Delivery {
  readonly #state: State;
  readonly #dating: Dating;
  readonly #environment: Environment;
  readonly #callers: readonly PluginCaller[];
  /** Streams are applied side by side. */
  readonly #turns: UrlTurns;
  /** Tries dead letters again. */
  readonly redelivery: Redelivery;
  #applied = 0;
  #gaps = 0;

  /** Nothing is delivered yet. */
  constructor({ plugins, state, store, environment, callbackTimeout, forced }: DeliveryOptions) {
    this.#state = state;
    this.#dating = new Dating({ state, store, environment });
    this.#environment = environment;
    this.#turns = urlTurnsOf(state);
    const onWorking = (plugin: string) => this.redelivery.hurry(plugin);
    const callOptions = { environment, timeout: callbackTimeout, forced, onWorking };
    this.#callers = plugins.map((plugin) => new PluginCaller(plugin, callOptions));
    this.redelivery = new Redelivery({ state, environment, callers: this.#callers });
  }

  /** How many updates were applied, and how many gaps reported. */
  get counts(): { applied: number; gaps: number } {
    return { applied: this.#applied, gaps: this.#gaps };
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
    const { clock } = this.#environment;
    const updates = stored.map((update) => this.#dating.date(stream, update));
    const superseded = this.#noteNewest(updates);
    const republished = this.#state.publisher.republishedIn(stream);
    const letters: DeadLetter[] = [];
    let storedAt = clock.elapsed(), from = (updates[0]?.seq ?? 1) - 1, to = from;
    const store = () => {
      if (to > from) this.#moveCursor(stream, { from, to }, letters.splice(0));
      [storedAt, from] = [clock.elapsed(), to];
    };
    try {
      for (const update of updates) {
        signal.throwIfAborted();
        if (!republished.has(update.id)) {
          letters.push(...await this.#deliver(stream, update, { superseded, signal }));
        }
        to = update.seq;
        // Dead letters at once: they are tried again as soon as another update is applied.
        if (letters.length > 0 || clock.elapsed() - storedAt >= CURSOR_INTERVAL) store();
      }
    } finally {
      store();
    }
  }

  /** Reports updates that are lost. */
  async gap(gap: Gap, signal: AbortSignal): Promise<void> {
    if (++this.#gaps <= MOST_GAPS_TOLD) {
      logger.error(
        "Updates {first} to {last} of {stream} are lost: they expired before they were read",
        { ...gap },
      );
    } else if (this.#gaps === MOST_GAPS_TOLD + 1) {
      logger.error("There are more than {most} gaps, the next ones only plugins are told of", {
        most: MOST_GAPS_TOLD,
      });
    }
    for (const caller of this.#callers) await caller.gap(gap, signal);
  }

  /** Moves the cursor behind a gap that was reported. */
  pass({ stream, first, last }: Gap): void {
    this.#moveCursor(stream, { from: first - 1, to: last }, []);
  }

  /** Before the first plugin runs: so that nobody publishes again what just arrived. */
  #noteNewest(updates: readonly StoredUpdate[]): Superseded {
    const { newest } = this.#state;
    const ids = new Set<string>();
    const now = this.#dating.now();
    // Not in the transaction: that takes long for large contents, and others wait for the state.
    const hashes = updates.map(hashOf);
    this.#state.transaction(() => {
      for (const [index, { url, time, id }] of updates.entries()) {
        newest.note(url, { time: Date.parse(time), id, hash: hashes[index] }, now);
      }
      for (const { url, time, id } of updates) {
        if (newest.supersedes(url, Date.parse(time), id)) ids.add(id);
      }
    }, { durable: false });
    const until = this.#environment.clock.elapsed() + CURSOR_INTERVAL;
    return { ids, revision: newest.revision(), until };
  }

  async #deliver(
    stream: string,
    stored: StoredUpdate,
    { superseded, signal }: { superseded: Superseded; signal: AbortSignal },
  ): Promise<DeadLetter[]> {
    const { url } = stored;
    while (this.#turns.isTaken(url)) await this.#turns.wait(url, signal);
    signal.throwIfAborted();
    using _turn = this.#turns.take(url);
    const letters: DeadLetter[] = [];
    let ended: { reason: unknown } | undefined;
    // All are waited for: one may end the waiting while another still runs.
    await Promise.all(this.#callers.map(async (caller) => {
      try {
        const givenUp = await caller.update(
          (again) => this.#current(stream, stored, again ? undefined : superseded),
          signal,
        );
        if (!givenUp) return;
        letters.push(this.#letter(caller.name, this.#current(stream, stored), givenUp));
      } catch (reason) {
        ended ??= { reason };
      }
    }));
    if (ended) throw ended.reason;
    this.#applied++;
    return letters;
  }

  /** The update as it is delivered now: whether it is superseded is decided anew at each retry. */
  #current(stream: string, stored: StoredUpdate, known?: Superseded): Update {
    const { url, time, id } = stored;
    const { newest } = this.#state;
    const holds = known && known.revision === newest.revision() &&
      this.#environment.clock.elapsed() < known.until;
    const superseded = holds ? known.ids.has(id) : newest.supersedes(url, Date.parse(time), id);
    return { ...stored, stream, server: serverOf(stream), superseded };
  }

  #letter(plugin: string, update: Update, { error, isFinal }: GivenUp): DeadLetter {
    const { stream, seq, url } = update;
    const message = tellFailure(error, url);
    const properties = { plugin, url, stream, seq, message };
    const text = "{plugin} cannot apply {url} ({stream}/{seq}), kept as a dead letter";
    if (isFinal) logger.error(`${text}: {message}`, properties);
    else logger.warn(`${text}, which is tried again by itself: {message}`, properties);
    const time = Math.round(this.#environment.clock.now());
    const content = JSON.stringify(updateToJson(update));
    const retryAt = isFinal ? null : firstRetryAt(time);
    return { plugin, stream, seq, content, error: message, time, retryAt };
  }

  /** Not synced: a crash of the machine only delivers the last updates again. */
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
