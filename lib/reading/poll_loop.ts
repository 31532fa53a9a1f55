/**
 * When to poll: in turn, at once when somebody tells of news, and when asked.
 *
 * @module
 */
import { getLogger } from "@logtape/logtape";
import { AutoResetEvent } from "../base/event.ts";
import type { ResolvedConfig } from "../config/resolve.ts";
import type { DeliveredCommit } from "../wake/source.ts";
import { sleep } from "../base/environment.ts";
import { AccessDeniedError, ConfigError, messageOf, StateError } from "../errors.ts";
import type { ObjectName } from "../log/names.ts";
import { PollPace } from "./poll_pace.ts";
import type { Poller, ReadingParts } from "./poller.ts";
import { RegularCleanup } from "../retention/regular_cleanup.ts";
import { MarkerReader } from "../wake/marker.ts";
import { OnceLog } from "../base/once_log.ts";
import { startWakeUps } from "../wake/sources.ts";

const logger = getLogger(["feedsync", "watch"]);

/**
 * Milliseconds until a refusal is looked at again that came before any poll succeeded: it may be that of a
 * proxy, or of a service that does not know a new key yet.
 */
const SECOND_LOOK = 3_000;

/** What is logged when polls succeed again, by the cause of their failure. */
const WELL_AGAIN = {
  store: "The store can be reached again",
  state: "The state can be used again",
};

/** What a loop is made with. */
export interface PollLoopOptions {
  /** How often to poll, and who tells of news. */
  readonly config: ResolvedConfig;
  /** Polls. */
  readonly poller: Poller;
  /** Told after each poll in turn that succeeded. */
  readonly onPolled?: (() => void) | undefined;
  /** Ends it. */
  readonly signal: AbortSignal;
}

/** Polls one time after the other, never two at once. */
export class PollLoop {
  readonly #parts: ReadingParts;
  readonly #options: PollLoopOptions;
  readonly #wakeUp: AutoResetEvent;
  #polling: Promise<boolean> | undefined;
  #nextPoll: Promise<boolean> | undefined;
  readonly #problems: OnceLog;
  #hasSucceeded = false;
  #wasRefused = false;

  /** A loop that does not run yet. */
  constructor(parts: ReadingParts, options: PollLoopOptions) {
    this.#parts = parts;
    this.#options = options;
    this.#wakeUp = new AutoResetEvent(parts.environment.clock);
    this.#problems = new OnceLog(logger, parts.environment.clock);
    options.signal.addEventListener("abort", () => this.#wakeUp.set(), { once: true });
  }

  /**
   * Polls, and cleans up, until it is ended; calls `ready` as soon as peers are heard.
   *
   * @throws {AccessDeniedError | ConfigError} when that is what comes of the first poll, and again of the
   * next one.
   */
  async run(ready: () => void): Promise<void> {
    const { log, environment } = this.#parts;
    const { config, signal } = this.#options;
    await using _hint = log.watch(() => this.#wakeUp.set());
    await using _sources = await startWakeUps(config, this.#parts, (...news) => this.hear(...news));
    ready();
    await using cleanup = new RegularCleanup(this.#parts, config.retention);
    const pace = new PollPace(config.poll, environment.random);
    const marker = config.wake.marker ? new MarkerReader(this.#parts) : undefined;
    let isWoken = false;
    while (!signal.aborted) {
      try {
        if (isWoken) await this.poll();
        else pace.polled(await this.#pollInTurn(marker));
        this.#options.onPolled?.();
      } catch (error) {
        pace.failed();
        if (this.#noteFailure(error) === "look again") {
          await sleep(environment.clock, SECOND_LOOK, signal).catch(() => {});
          continue;
        }
      }
      cleanup.startIfDue(signal);
      isWoken = await this.#wakeUp.wait(pace.next());
    }
  }

  /** Is told of a commit, by a peer with what is in it. What comes out of turn a poll finds. */
  hear(name: ObjectName, delivered?: DeliveredCommit): void {
    if (!this.#options.poller.hear(name, delivered)) this.#wakeUp.set();
  }

  /**
   * A poll that begins after this call: one that is under way may have listed too early. Resolves to
   * whether it found something that nobody had told of.
   */
  poll(): Promise<boolean> {
    if (!this.#polling) {
      this.#polling = this.#options.poller.poll().finally(() => this.#polling = undefined);
      return this.#polling.then((foundNews) => {
        this.#noteSuccess();
        return foundNews;
      });
    }
    return this.#nextPoll ??= this.#polling.catch(() => {}).then(() => {
      this.#nextPoll = undefined;
      return this.poll();
    });
  }

  /** Waits until the poll that is under way has ended, however it does. */
  async idle(): Promise<void> {
    await this.#polling?.catch(() => {});
  }

  /** A poll that nobody asked for; spared when the marker says that nothing has happened. */
  async #pollInTurn(marker: MarkerReader | undefined): Promise<boolean> {
    const { poller, signal } = this.#options;
    if (marker && !await marker.hasChanged({ signal }) && !poller.hasUnread()) {
      this.#noteSuccess();
      return false;
    }
    const foundNews = await this.poll();
    marker?.noteListing();
    return foundNews;
  }

  #noteSuccess(): void {
    for (const [subject, text] of Object.entries(WELL_AGAIN)) {
      this.#problems.resolved(subject, { text });
    }
    this.#hasSucceeded = true;
  }

  /**
   * A server that polled once goes on whatever happens: rights and networks come back. Before that, what
   * is wrong for good ends it, so that somebody sees it, unless it turns out otherwise at a second look.
   */
  #noteFailure(error: unknown): "look again" | undefined {
    if (this.#options.signal.aborted) return;
    const isRefused = error instanceof AccessDeniedError || error instanceof ConfigError;
    const endsIt = isRefused && !this.#hasSucceeded;
    if (endsIt && this.#wasRefused) throw error;
    this.#wasRefused = isRefused;
    this.#parts.uploader.start(); // Without waiting for a listing to start with.
    const [failing, other] = error instanceof StateError ? ["state", "store"] : ["store", "state"];
    this.#problems.resolved(other); // It was not what this poll failed of.
    const plan = endsIt ? `looking again in ${SECOND_LOOK / 1_000} s` : "retrying; nothing is lost";
    const properties = { message: messageOf(error), plan };
    this.#problems.problem(failing, { text: "{message} ({plan})", properties, kind: plan });
    return endsIt ? "look again" : undefined;
  }
}
