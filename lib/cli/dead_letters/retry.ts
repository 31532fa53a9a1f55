/**
 * Handing dead letters to their plugins once more.
 *
 * @module
 */
import { systemEnvironment } from "../../environment.ts";
import { FeedSyncError, messageOf } from "../../errors.ts";
import type { RunningPlugin } from "../../plugin.ts";
import { closePlugins } from "../../reading/close_plugins.ts";
import { PluginCaller } from "../../reading/plugin_caller.ts";
import { currentUpdate } from "../../reading/redelivery.ts";
import type { DeadLetter, ListedLetter } from "../../state/dead_letters.ts";
import type { State } from "../../state/state.ts";
import type { ActionContext } from "../dead_letters.ts";
import { surviveLeftovers } from "../leftovers.ts";
import { loadPluginsFor } from "../plugins.ts";
import { orAborted } from "../signals.ts";
import { tell } from "./letter.ts";

/**
 * Hands each letter to its plugin, one after the other, and drops those that are applied.
 *
 * @throws {FeedSyncError} when some could not be applied; they are kept.
 */
export async function retry(context: ActionContext): Promise<void> {
  const { settings, config, json, signal } = context;
  using _ = surviveLeftovers();
  const plugins = await orAborted(loadPluginsFor(settings, { json }), signal);
  try {
    await retryAll(context, plugins);
  } finally {
    const { clock } = systemEnvironment;
    await closePlugins(plugins, { clock, timeout: config.stopTimeout });
  }
}

async function retryAll(
  { state, letters, config, json, signal }: ActionContext,
  plugins: readonly RunningPlugin[],
): Promise<void> {
  const forced = abortedLater(signal, config.stopTimeout);
  const options = { environment: systemEnvironment, timeout: config.callbackTimeout, forced };
  const callers = new Map(
    plugins.map((plugin) => [plugin.name, new PluginCaller(plugin, options)]),
  );
  let failed = 0;
  for (const { id } of letters) {
    signal.throwIfAborted();
    const letter = state.deadLetters.get(id);
    if (!letter) continue; // Gone meanwhile.
    const caller = callers.get(letter.plugin);
    const error = caller
      ? await apply(letter, { state, caller, forced })
      : `No plugin of the name ${letter.plugin} is configured`;
    if (error !== undefined) failed++;
    const status = error === undefined ? "applied" : "failed";
    await tell({ ...letter, error: error ?? letter.error }, { json, status });
  }
  if (failed === 0) return;
  const kept = failed === 1 ? "1 dead letter, it is" : `${failed} dead letters, they are`;
  throw new FeedSyncError(`Cannot apply ${kept} kept`);
}

/** Hands the letter over, and keeps what came of it; resolves to what went wrong. */
async function apply(
  letter: ListedLetter & DeadLetter,
  { state, caller, forced }: { state: State; caller: PluginCaller; forced: AbortSignal },
): Promise<string | undefined> {
  try {
    await caller.once(currentUpdate(letter, state));
  } catch (thrown) {
    forced.throwIfAborted();
    const error = messageOf(thrown);
    state.transaction(() => state.deadLetters.fail(letter.id, error));
    return error;
  }
  state.transaction(() => state.deadLetters.drop(letter.id));
  return undefined;
}

/** Aborted `ms` after `signal` is: so long a running call may finish. */
function abortedLater(signal: AbortSignal, ms: number): AbortSignal {
  const later = new AbortController();
  const abort = () => later.abort(signal.reason);
  signal.addEventListener("abort", () => systemEnvironment.clock.setTimer(ms, abort));
  return later.signal;
}
