/**
 * Setting plugins up.
 *
 * @module
 */
import { getLogger } from "@logtape/logtape";
import { Backoff } from "../base/backoff.ts";
import { type Environment, sleep } from "../base/environment.ts";
import { BackendUnavailableError } from "../errors.ts";
import type { RunningPlugin } from "../plugin.ts";
import { closePlugins } from "./close_plugins.ts";

const logger = getLogger(["feedsync", "plugin"]);

const RETRY_RANGE = { minMs: 1_000, maxMs: 60_000 };

/** How long a backend may be away. */
export interface PatienceOptions {
  /** Time and randomness. */
  readonly environment: Environment;
  /** Aborted when the plugins are no longer needed. */
  readonly signal: AbortSignal;
  /** For so many milliseconds setup is tried again. */
  readonly patienceMs: number;
}

/** How long it may take. */
export interface SetUpOptions extends PatienceOptions {
  /** Most milliseconds once the plugins are no longer needed. */
  readonly timeout: number;
}

/**
 * Sets plugins up, again and again while the backend of one cannot be reached.
 *
 * @throws {BackendUnavailableError} when that lasts longer than `patienceMs`.
 */
export async function setUpPatiently(
  setUp: () => Promise<readonly RunningPlugin[]>,
  { environment: { clock, random }, signal, patienceMs }: PatienceOptions,
): Promise<readonly RunningPlugin[]> {
  const backoff = new Backoff(random, RETRY_RANGE);
  for (const begunAt = clock.elapsed();;) {
    try {
      return await setUp();
    } catch (error) {
      if (signal.aborted || !(error instanceof BackendUnavailableError)) throw error;
      const delayMs = Math.max(
        backoff.fail(),
        Math.min(error.retryAfterMs ?? 0, RETRY_RANGE.maxMs),
      );
      if (clock.elapsed() + delayMs - begunAt >= patienceMs) throw error;
      const text = "{message}; setup is tried again until it can be reached";
      if (backoff.failures === 1) logger.warn(text, { message: error.message });
      else logger.debug(text, { message: error.message });
      await sleep(clock, delayMs, signal);
    }
  }
}

/**
 * Resolves to the plugins when all are set up, see {@linkcode setUpPatiently}. A setup that hangs holds
 * up nobody who stops: it rejects with the signal's reason then, and what is set up later is closed at
 * once.
 */
export async function setUpPlugins(
  setUp: () => Promise<readonly RunningPlugin[]>,
  options: SetUpOptions,
): Promise<readonly RunningPlugin[]> {
  const { environment: { clock }, signal, timeout } = options;
  const { promise: abandoned, reject } = Promise.withResolvers<never>();
  let cancel = () => {}, isAbandoned = false;
  const onAbort = () => {
    cancel = clock.setTimer(timeout, () => {
      isAbandoned = true;
      reject(signal.reason);
    });
  };
  if (signal.aborted) onAbort();
  else signal.addEventListener("abort", onAbort, { once: true });
  const plugins = setUpPatiently(setUp, options);
  plugins.then(
    (late) => isAbandoned ? closePlugins(late, { clock, timeout }) : undefined,
    () => {}, // Told by what is returned, unless nobody waits for it any more.
  );
  try {
    return await Promise.race([plugins, abandoned]);
  } finally {
    cancel();
    signal.removeEventListener("abort", onAbort);
  }
}
