/**
 * Starting and stopping plugins in a limited time.
 *
 * @module
 */
import { getLogger } from "@logtape/logtape";
import { Deadline, withDeadline } from "../base/deadline.ts";
import { Backoff } from "../base/backoff.ts";
import { type Clock, type Environment, sleep } from "../base/environment.ts";
import { OnceLog } from "../base/once_log.ts";
import { BackendUnavailableError } from "../errors.ts";
import type { RunningPlugin } from "../plugin.ts";
import { tellFailure } from "./failure.ts";

const logger = getLogger(["feedsync", "plugin"]);

/** Delays between attempts to set plugins up. */
const RETRY_RANGE = { minMs: 1_000, maxMs: 60_000 };

/** How long plugins may take. */
export interface PluginTimeLimit {
  /** Measures the time. */
  readonly clock: Clock;
  /** How long a plugin may take, in milliseconds. */
  readonly timeoutMs: number;
}

/** How long setting plugins up may take. */
export interface SetUpOptions {
  /** Time and randomness. */
  readonly environment: Environment;
  /** Aborted when the plugins are no longer needed. */
  readonly signal: AbortSignal;
  /** How long setup is retried while a backend is away, in milliseconds. */
  readonly patienceMs: number;
  /** How long a setup may go on once the plugins are no longer needed, in milliseconds. */
  readonly timeoutMs: number;
}

/**
 * Sets plugins up, again and again while the backend of one cannot be reached.
 *
 * @throws {BackendUnavailableError} when that lasts longer than `patienceMs`.
 */
export async function setUpPatiently(
  setUp: () => Promise<readonly RunningPlugin[]>,
  { environment: { clock, random }, signal, patienceMs }: Omit<SetUpOptions, "timeoutMs">,
): Promise<readonly RunningPlugin[]> {
  const backoff = new Backoff(random, RETRY_RANGE), problems = new OnceLog(logger, clock);
  for (const begunAt = clock.elapsed();;) {
    try {
      const plugins = await setUp();
      problems.resolved("setup", { text: "The plugins are set up" });
      return plugins;
    } catch (error) {
      if (signal.aborted || !(error instanceof BackendUnavailableError)) throw error;
      const askedMs = Math.min(error.retryAfterMs ?? 0, RETRY_RANGE.maxMs);
      const delayMs = Math.max(backoff.fail(), askedMs);
      if (clock.elapsed() + delayMs - begunAt >= patienceMs) throw error;
      const text = "{message}; setup is tried again until it can be reached";
      problems.problem("setup", { text, properties: { message: error.message }, kind: "" });
      await sleep(clock, delayMs, signal);
    }
  }
}

/**
 * Resolves to the plugins when all are set up, see {@linkcode setUpPatiently}. When `signal` is aborted, a
 * setup that hangs has `timeoutMs` left: then this rejects with the signal's reason, and what is set up
 * later is closed at once.
 */
export async function setUpPlugins(
  setUp: () => Promise<readonly RunningPlugin[]>,
  options: SetUpOptions,
): Promise<readonly RunningPlugin[]> {
  const { environment: { clock }, signal, timeoutMs } = options;
  using deadline = new Deadline(clock, signal, { graceMs: timeoutMs });
  const plugins = setUpPatiently(setUp, options);
  try {
    return await deadline.race(plugins);
  } catch (error) {
    if (deadline.signal.aborted) {
      plugins.then((late) => closePlugins(late, { clock, timeoutMs }), () => {});
    }
    throw error;
  }
}

/** Closes plugins in parallel; logs those that fail, or take longer than `timeoutMs`. */
export async function closePlugins(
  plugins: readonly RunningPlugin[],
  { clock, timeoutMs }: PluginTimeLimit,
): Promise<void> {
  const timeoutReason = () => new Error(`It takes longer than ${timeoutMs / 1000} s`);
  await Promise.all(plugins.map(async (plugin) => {
    try {
      await withDeadline(() => plugin.close(), { clock, timeoutMs, timeoutReason });
    } catch (error) {
      logger.error("{plugin} failed to close: {message}", {
        plugin: plugin.name,
        message: tellFailure(error),
      });
    }
  }));
}
