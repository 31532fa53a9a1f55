/**
 * `feedsync dead-letters`: lists, shows, retries or drops the updates that plugins could not apply.
 *
 * @module
 */
import { resolveConfig, type ResolvedConfig } from "../../config/resolve.ts";
import type { LoadedConfig } from "../../config/load.ts";
import { suggest } from "../../base/nearest.ts";
import {
  type DeadLetter,
  type DeadLetterQueue,
  type RetriedLetter,
  StateLetters,
} from "../../dead_letters.ts";
import { abortable } from "../../base/deadline.ts";
import { systemEnvironment } from "../../base/environment.ts";
import { FeedSyncError } from "../../errors.ts";
import { shownUrl } from "../../feed_url.ts";
import { State } from "../../state/state.ts";
import { updateToJson } from "../../update.ts";
import type { CommandContext } from "../command.ts";
import { BadInputError, UsageError } from "../exit.ts";
import { surviveLeftovers } from "../leftovers.ts";
import { print, printJson } from "../output.ts";
import { loadPluginsFor } from "../plugins.ts";
import { loadSettings, requireState } from "../settings.ts";

/** The context of an action. */
interface ActionContext {
  /** All letters of the state; no store is needed. */
  readonly queue: DeadLetterQueue;
  /** The selected letters, oldest first. */
  readonly letters: readonly DeadLetter[];
  /** Whether results are printed as JSON. */
  readonly json: boolean;
  /** The configuration. */
  readonly settings: LoadedConfig;
  /** The configuration with defaults filled in. */
  readonly config: ResolvedConfig;
  /** Aborted when the command must end early. */
  readonly signal: AbortSignal;
}

const ACTIONS: Readonly<Record<string, (context: ActionContext) => Promise<void>>> = {
  list,
  show,
  retry,
  drop,
};

/** Applies the action in the first operand to the letters in the others. */
export async function run({ args, signal }: CommandContext): Promise<void> {
  const [name, ...ids] = args.operands;
  const action = actionOf(name);
  if (ids.length > 0 && args.has("all")) throw new UsageError("Cannot use --all with an ID");
  if (action === drop && ids.length === 0 && !args.has("all")) {
    throw new UsageError("Nothing to drop: give an ID or --all");
  }
  const settings = await loadSettings(args);
  const config = resolveConfig(settings.config, settings);
  using state = await openState(config);
  const json = args.has("json");
  const queue = new StateLetters(state, {
    ...config,
    loadPlugins: () => abortable(loadPluginsFor(settings, { json }), signal),
  });
  const letters = lettersOf(queue, state.path, ids);
  await action({ queue, letters, json, settings, config, signal });
}

function actionOf(name: string): (context: ActionContext) => Promise<void> {
  if (Object.hasOwn(ACTIONS, name)) return ACTIONS[name];
  throw new UsageError(
    `Unknown action "${name}" of dead-letters, ${suggest(name, Object.keys(ACTIONS))}`,
  );
}

/** Opens an existing state: creating a new one would hide that a flag is wrong. */
async function openState(
  { state: path, server, store, movedFrom }: ResolvedConfig,
): Promise<State> {
  await requireState(path);
  return new State(path, { server, store, movedFrom }, systemEnvironment.random);
}

/** The letters with these ids; all letters if there are no ids. */
function lettersOf(queue: DeadLetterQueue, path: string, ids: readonly string[]): DeadLetter[] {
  const letters = queue.list();
  if (ids.length === 0) return letters;
  const known = new Set(letters.map(({ id }) => String(id)));
  const missing = ids.filter((id) => !known.has(id));
  if (missing.length > 0) {
    throw new BadInputError(
      `There is no dead letter ${missing.join(", ")} in ${path}: see dead-letters list`,
    );
  }
  return letters.filter(({ id }) => ids.includes(String(id)));
}

async function list({ letters, json }: ActionContext): Promise<void> {
  for (const letter of letters) await printLetter(letter, { json });
}

async function show({ queue, letters, json }: ActionContext): Promise<void> {
  for (const letter of letters) {
    const update = queue.update(letter.id);
    if (!update) continue; // Dropped meanwhile.
    if (json) await printJson({ ...letter, update: updateToJson(update) });
    else {
      await printLetter(letter, { json });
      await print(JSON.stringify(updateToJson(update)));
    }
  }
}

async function drop({ queue, letters, json }: ActionContext): Promise<void> {
  queue.drop(letters.map(({ id }) => id));
  for (const letter of letters) await printLetter(letter, { json, status: "dropped" });
}

/** Hands each letter to its plugin, in sequence, and prints each result at once. */
async function retry({ queue, letters, json, signal }: ActionContext): Promise<void> {
  using _ = surviveLeftovers();
  let failed = 0;
  const onRetried = async ({ status, ...letter }: RetriedLetter) => {
    if (status === "failed") failed++;
    await printLetter(letter, { json, status });
  };
  await queue.retry({ ids: letters.map(({ id }) => id), signal, onRetried });
  if (failed === 0) return;
  const kept = failed === 1 ? "1 dead letter, keeping it" : `${failed} dead letters, keeping them`;
  throw new FeedSyncError(`Cannot apply ${kept}`);
}

/** Prints a letter on one line, with its result if there is one. */
async function printLetter(
  letter: DeadLetter,
  { json, status }: { readonly json: boolean; readonly status?: string },
): Promise<void> {
  if (json) return await printJson({ ...status && { status }, ...letter });
  const { id, plugin, stream, seq, url, error, time } = letter;
  const columns = [id, time, plugin, `${stream}/${seq}`, shownUrl(url), error];
  await print([...status ? [status] : [], ...columns].join("  "));
}
