/**
 * Decides when to poll: regularly, at once after a wake-up, and on request.
 *
 * @module
 */
import { getLogger } from "@logtape/logtape";
import { AutoResetEvent } from "../base/event.ts";
import type { ResolvedConfig } from "../config/resolve.ts";
import type { DeliveredCommit, OnPresence } from "../wake/source.ts";
import { sleep } from "../base/environment.ts";
import { AccessDeniedError, ConfigError, messageOf, StateError } from "../errors.ts";
import type { ObjectName } from "../log/names.ts";
import { PollPace, type PollRange } from "./poll_pace.ts";
import type { Poller, ReadingParts } from "./poller.ts";
import { RegularCleanup } from "../retention/regular_cleanup.ts";
import { MarkerReader } from "../wake/marker.ts";
import { OnceLog } from "../base/once_log.ts";
import { startWakeUps } from "../wake/sources.ts";

const logger = getLogger(["feedsync", "watch"]);

/**
 * Delay before the second attempt when the store refuses before any poll has succeeded: a proxy may
 * have refused, or the service may not know a new key yet.
 */
const SECOND_LOOK_MS = 3_000;

/** Messages for polls that succeed again, by the cause of the failure. */
const WELL_AGAIN = {
  store: "The store can be reached again",
  state: "The state can be used again",
};

/** Options of {@linkcode PollLoop}. */
export interface PollLoopOptions {
  /** The configuration: how often to poll, and the sources of wake-ups. */
  readonly config: ResolvedConfig;
  /** Makes the polls. */
  readonly poller: Poller;
  /** Takes the greetings of peers. @default they are not received */
  readonly onPresence?: OnPresence | undefined;
  /** Called after each successful poll of the loop. */
  readonly onPolled?: (() => void) | undefined;
  /** Ends it. */
  readonly signal: AbortSignal;
}

/** Polls repeatedly, never twice at the same time. */
export class PollLoop {
  readonly #parts: ReadingParts;
  readonly #options: PollLoopOptions;
  readonly #wakeUp: AutoResetEvent;
  readonly #pace: PollPace;
  #polling: Promise<boolean> | undefined;
  #nextPoll: Promise<boolean> | undefined;
  readonly #problems: OnceLog;
  #hasSucceeded = false;
  #problem: string | undefined;
  #wasRefused = false;

  /** Creates a loop, without running it yet. */
  constructor(parts: ReadingParts, options: PollLoopOptions) {
    this.#parts = parts;
    this.#options = options;
    this.#wakeUp = new AutoResetEvent(parts.environment.clock);
    this.#pace = new PollPace(options.config.poll, parts.environment.random);
    this.#problems = new OnceLog(logger, parts.environment.clock);
    options.signal.addEventListener("abort", () => this.#wakeUp.set(), { once: true });
  }

  /**
   * Polls and cleans up until `signal` is aborted; calls `ready` as soon as it listens for peers.
   *
   * @throws {AccessDeniedError | ConfigError} when the first two polls both fail with it.
   */
  async run(ready: () => void): Promise<void> {
    const { log, environment } = this.#parts;
    const { config, onPresence, signal } = this.#options;
    const wakeUpParts = { log, environment, onPresence };
    await using _hint = log.watch(() => this.#wakeUp.set());
    await using _sources = await startWakeUps(config, wakeUpParts, (...news) => this.hear(...news));
    ready();
    await using cleanup = new RegularCleanup(this.#parts, config.retention);
    const marker = config.wake.marker ? new MarkerReader(this.#parts) : undefined;
    let isWoken = false;
    while (!signal.aborted) {
      try {
        if (isWoken) await this.poll();
        else this.#pace.polled(await this.#pollInTurn(marker));
        this.#options.onPolled?.();
      } catch (error) {
        this.#pace.failed();
        if (this.#noteFailure(error) === "look again") {
          await sleep(environment.clock, SECOND_LOOK_MS, signal).catch(() => {});
          continue;
        }
      }
      cleanup.startIfDue(signal);
      isWoken = await this.#wakeUp.wait(this.#pace.next());
    }
  }

  /** Polls now, and from then on with these delays. */
  changePace(range: PollRange): void {
    this.#pace.change(range);
    this.#wakeUp.set();
  }

  /**
   * Handles the announcement of a commit, with its updates if a peer sent them. A commit that does
   * not follow the cursor triggers a poll.
   */
  hear(name: ObjectName, delivered?: DeliveredCommit): void {
    if (!this.#options.poller.hear(name, delivered)) this.#wakeUp.set();
  }

  /**
   * Makes a poll that begins after this call: a running poll may have listed too early. Resolves to
   * whether it found updates that no wake-up had announced.
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

  /** Why the last poll failed; undefined when it succeeded. */
  get problem(): string | undefined {
    return this.#problem;
  }

  /** Waits until the running poll has ended, whether it succeeds or not. */
  async idle(): Promise<void> {
    await this.#polling?.catch(() => {});
  }

  /** Makes a regular poll; skips it when the marker shows that nothing has happened. */
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
    this.#problem = undefined;
  }

  /**
   * Logs a failed poll. After the first success the loop continues whatever happens, since rights
   * and networks come back. Before that, a refusal that is repeated at the second attempt ends the
   * loop, so that the operator sees it.
   */
  #noteFailure(error: unknown): "look again" | undefined {
    if (this.#options.signal.aborted) return;
    this.#problem = messageOf(error);
    const isRefused = error instanceof AccessDeniedError || error instanceof ConfigError;
    const endsIt = isRefused && !this.#hasSucceeded;
    if (endsIt && this.#wasRefused) throw error;
    this.#wasRefused = isRefused;
    this.#parts.uploader.start(); // Uploads must not wait for a first listing.
    const [failing, other] = error instanceof StateError ? ["state", "store"] : ["store", "state"];
    // This poll failed for a different reason, so the other problem is over.
    this.#problems.resolved(other);
    const plan = endsIt
      ? `trying again in ${SECOND_LOOK_MS / 1_000} s`
      : "retrying; nothing is lost";
    const properties = { message: messageOf(error), plan };
    this.#problems.problem(failing, { text: "{message} ({plan})", properties, kind: plan });
    return endsIt ? "look again" : undefined;
  }
}
