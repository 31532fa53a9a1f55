/**
 * Dead letters: the updates that a plugin could not apply.
 *
 * @module
 */
import { checkPlugins } from "./plugins/check_plugin.ts";
import { type Connection, connectionOf, type FeedSync } from "./connection.ts";
import { Deadline } from "./base/deadline.ts";
import { type Environment, systemEnvironment } from "./base/environment.ts";
import { feedIdentity } from "./feed_url.ts";
import {
  callbackPlugin,
  type PlainPlugin,
  type PluginEntries,
  type PluginEntry,
  type RunningPlugin,
  type UpdateCallback,
} from "./plugin.ts";
import { closePlugins } from "./plugins/lifecycle.ts";
import { failureOf, tellFailure } from "./plugins/failure.ts";
import { PluginCaller } from "./reading/plugin_caller.ts";
import { currentUpdate } from "./reading/redelivery.ts";
import { KeyedLock } from "./base/keyed_lock.ts";
import type { DeadLetter as StoredLetter, ListedLetter } from "./state/dead_letters.ts";
import type { State } from "./state/state.ts";
import type { Update } from "./update.ts";

/** An update that a plugin could not apply. */
export interface DeadLetter {
  /** Number of the letter, from 1; never reused. */
  readonly id: number;
  /** Name of the plugin; `callback` for the callback of {@linkcode watch}. */
  readonly plugin: string;
  /** Stream of the update. */
  readonly stream: string;
  /** Seq of the update. */
  readonly seq: number;
  /** URL of the update. */
  readonly url: string;
  /** The error of the last attempt. */
  readonly error: string;
  /** When the update was given up, in ISO 8601. */
  readonly time: string;
  /**
   * When it is retried automatically, in ISO 8601; absent when it needs a person, also because the
   * last watcher had no plugin of this name.
   */
  readonly retryAt?: string;
}

/** The result of a retry. */
export interface RetriedLetter extends DeadLetter {
  /** `applied`: the update is applied, and no longer a dead letter. */
  readonly status: "applied" | "failed";
}

/** Options of {@linkcode DeadLetterQueue.list}. */
export interface ListLettersOptions {
  /** Maximum number of letters. @default all */
  readonly limit?: number | undefined;
}

/** Options of {@linkcode DeadLetterQueue.retry}. */
export interface RetryOptions {
  /** Numbers of the letters. @default all */
  readonly ids?: readonly number[] | undefined;
  /** The receiver that {@linkcode watch} was given. @default the plugins of the configuration */
  readonly receiver?: UpdateCallback | PlainPlugin | PluginEntries | undefined;
  /** Called and awaited after each letter. */
  readonly onRetried?: ((letter: RetriedLetter) => void | Promise<void>) | undefined;
  /** Ends the retry; a running call may then take up to `stopTimeout`. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * The dead letters of one server. After its connection is closed, all methods throw a
 * {@linkcode ClosedError}.
 */
export interface DeadLetterQueue {
  /** The dead letters, oldest first. */
  list(options?: ListLettersOptions): DeadLetter[];
  /** The update of a letter, as it would be delivered now; undefined for an unknown id. */
  update(id: number): Update | undefined;
  /**
   * Delivers letters to their plugins once more, in sequence, and drops those that are applied.
   *
   * @throws {ConfigError} when a plugin of the configuration cannot be used.
   * @throws {BackendUnavailableError} when a plugin cannot be set up because its backend is away.
   * @throws {ClosedError} when the connection is closed meanwhile.
   */
  retry(options?: RetryOptions): Promise<RetriedLetter[]>;
  /** Drops letters; returns how many existed. */
  drop(ids: readonly number[]): number;
}

/**
 * The updates that plugins, or the callback of {@linkcode watch}, could not apply.
 *
 * @example
 * ```ts
 * import { connect, deadLetters } from "@feedsync/feedsync";
 *
 * const store = `file:${await Deno.makeTempDir()}`;
 * await using sync = await connect({ store, server: "web-1" });
 * const letters = deadLetters(sync);
 * for (const { id, url, error } of letters.list()) console.log(id, url, error);
 * await letters.retry({ receiver: (update) => console.log(update.url) });
 * ```
 */
export function deadLetters(sync: FeedSync): DeadLetterQueue {
  const connection = connectionOf(sync);
  const { parts, config } = connection;
  if (!parts) return NO_LETTERS;
  return new StateLetters(parts.state, {
    ...config,
    environment: parts.environment,
    feedLocks: parts.feedLocks,
    connection,
    async loadPlugins(entries) {
      const { loadPlugins } = await import("./plugins/load_plugins.ts");
      return await loadPlugins(entries ?? config.plugins, config);
    },
  });
}

/** The queue of a connection that is not enabled. */
const NO_LETTERS: DeadLetterQueue = {
  list: () => [],
  update: () => undefined,
  retry: () => Promise.resolve([]),
  drop: () => 0,
};

const NEVER = new AbortController().signal;

/** Options of {@linkcode StateLetters}. */
export interface StateLettersOptions {
  /** Maximum duration of one call, in milliseconds. */
  readonly callbackTimeout: number;
  /**
   * Maximum duration of the running call after an abort, see `stopTimeout` in
   * {@linkcode CoreConfig}.
   */
  readonly stopTimeout: number;
  /** Time and randomness. @default the machine's */
  readonly environment?: Environment;
  /** Locks feeds against other calls. @default no other calls use the state */
  readonly feedLocks?: KeyedLock;
  /** The connection that closes the state, and keeps it open until a running retry has ended. */
  readonly connection?: Pick<Connection, "closed" | "keepOpen"> | undefined;
  /** Sets up the given plugins, by default those of the configuration. */
  readonly loadPlugins: (entries?: readonly PluginEntry[]) => Promise<readonly RunningPlugin[]>;
}

/** The dead letters in a state; no store is needed. */
export class StateLetters implements DeadLetterQueue {
  readonly #state: State;
  readonly #options: StateLettersOptions;
  readonly #environment: Environment;
  readonly #feedLocks: KeyedLock;

  /** Creates the queue of `state`. */
  constructor(state: State, options: StateLettersOptions) {
    this.#state = state;
    this.#options = options;
    this.#environment = options.environment ?? systemEnvironment;
    this.#feedLocks = options.feedLocks ?? new KeyedLock();
  }

  list(options?: ListLettersOptions): DeadLetter[] {
    const { deadLetters } = this.#open();
    return deadLetters.all(options).map((letter) => this.#toPublic(letter));
  }

  update(id: number): Update | undefined {
    const letter = this.#open().deadLetters.get(id);
    return letter && currentUpdate(letter, this.#state);
  }

  async retry(options: RetryOptions = {}): Promise<RetriedLetter[]> {
    this.#open();
    const { connection } = this.#options;
    if (!connection) return await this.#retryWith(options);
    const signal = AbortSignal.any([connection.closed, options.signal ?? NEVER]);
    return await connection.keepOpen(this.#retryWith({ ...options, signal }));
  }

  async #retryWith(options: RetryOptions): Promise<RetriedLetter[]> {
    const { stopTimeout: timeoutMs, loadPlugins } = this.#options;
    const { receiver } = options;
    if (typeof receiver === "function") {
      return await this.#retry([callbackPlugin(receiver)], options);
    }
    const plugins = await loadPlugins(receiver && checkPlugins(receiver));
    try {
      return await this.#retry(plugins, options);
    } finally {
      await closePlugins(plugins, { clock: this.#environment.clock, timeoutMs });
    }
  }

  drop(ids: readonly number[]): number {
    const { deadLetters } = this.#open();
    return this.#state.transaction(() => {
      const before = deadLetters.count();
      for (const id of ids) deadLetters.drop(id);
      return before - deadLetters.count();
    });
  }

  /** The state, unless it is closed. */
  #open(): State {
    this.#options.connection?.closed.throwIfAborted();
    return this.#state;
  }

  async #retry(
    plugins: readonly RunningPlugin[],
    { ids = this.list().map(({ id }) => id), signal = NEVER, onRetried }: RetryOptions,
  ): Promise<RetriedLetter[]> {
    const { callbackTimeout: timeoutMs, stopTimeout } = this.#options;
    const environment = this.#environment;
    using forced = new Deadline(environment.clock, signal, { graceMs: stopTimeout });
    const options = { environment, timeoutMs, forced: forced.signal };
    const callers = plugins.map((plugin) => new PluginCaller(plugin, options));
    const retried: RetriedLetter[] = [];
    for (const id of ids) {
      signal.throwIfAborted();
      const letter = this.#state.deadLetters.get(id);
      if (!letter) continue; // Dropped meanwhile.
      const caller = callers.find(({ name }) => name === letter.plugin);
      const error = caller
        ? await this.#apply(letter, caller, { signal, forced: forced.signal })
        : `No plugin with the name ${letter.plugin} is configured`;
      const status = error === undefined ? "applied" : "failed";
      const shown = this.#toPublic({ ...letter, error: error ?? letter.error });
      const result = { ...shown, status } as const;
      retried.push(result);
      await onRetried?.(result);
    }
    return retried;
  }

  #toPublic(letter: ListedLetter): DeadLetter {
    const { id, plugin, stream, seq, url, error, time, retryAt } = letter;
    const isRetried = retryAt !== null && this.#state.watchedPlugins()?.includes(plugin) !== false;
    return {
      ...{ id, plugin, stream, seq, url },
      error: tellFailure(error, url),
      time: new Date(time).toISOString(),
      // Letters of version 0.1 have the due time 0.
      ...isRetried && { retryAt: new Date(Math.max(retryAt, time)).toISOString() },
    };
  }

  /** Delivers the letter and stores the result; resolves to the error, if any. */
  async #apply(
    letter: ListedLetter & StoredLetter,
    caller: PluginCaller,
    { signal, forced }: { signal: AbortSignal; forced: AbortSignal },
  ): Promise<string | undefined> {
    const { id, url, retryAt } = letter, { deadLetters } = this.#state;
    const feedLocks = this.#feedLocks;
    const feed = feedIdentity(url);
    while (feedLocks.isHeld(feed)) await feedLocks.released(feed, signal);
    using _lock = feedLocks.take(feed);
    try {
      await caller.once(currentUpdate(letter, this.#state));
    } catch (thrown) {
      forced.throwIfAborted();
      const error = tellFailure(thrown, url);
      const isRejected = failureOf(thrown).kind === "rejected";
      this.#state.transaction(() => {
        deadLetters.postpone(id, error, isRejected ? null : retryAt);
      });
      return error;
    }
    this.#state.transaction(() => deadLetters.drop(id));
    return undefined;
  }
}
