/**
 * `feedsync dead-letters`: the updates that plugins could not apply.
 *
 * @module
 */
import { resolveConfig, type ResolvedConfig } from "../config/resolve.ts";
import type { LoadedConfig } from "../config/load.ts";
import { suggest } from "../config/nearest.ts";
import { systemEnvironment } from "../environment.ts";
import { StateError } from "../errors.ts";
import type { ListedLetter } from "../state/dead_letters.ts";
import { State } from "../state/state.ts";
import type { Syntax } from "./args.ts";
import type { CommandContext } from "./command.ts";
import { letterToJson, tell } from "./dead_letters/letter.ts";
import { retry } from "./dead_letters/retry.ts";
import { BadInputError, UsageError } from "./exit.ts";
import { print, printJson } from "./output.ts";
import { loadSettings } from "./settings.ts";

/** Its arguments. */
export const syntax: Syntax = {
  operands: ["list, show, retry or drop", "ID"],
  required: 1,
  repeated: true,
  switches: ["all"],
};

/** What an action works with. */
export interface ActionContext {
  /** The state that keeps the letters; no store is needed. */
  readonly state: State;
  /** The letters that were asked for, oldest first. */
  readonly letters: readonly ListedLetter[];
  /** Whether results are printed as JSON. */
  readonly json: boolean;
  /** The configuration. */
  readonly settings: LoadedConfig;
  /** The same, with everything filled in. */
  readonly config: ResolvedConfig;
  /** Aborted when the command shall end early. */
  readonly signal: AbortSignal;
}

const ACTIONS: Readonly<Record<string, (context: ActionContext) => Promise<void>>> = {
  list,
  show,
  retry,
  drop,
};

/** Does what the first operand says with the letters that the others name. */
export async function run({ args, signal }: CommandContext): Promise<void> {
  const [name, ...ids] = args.operands;
  const action = actionOf(name);
  if (ids.length > 0 && args.has("all")) throw new UsageError("Cannot use --all with an ID");
  if (action === drop && ids.length === 0 && !args.has("all")) {
    throw new UsageError("Which dead letters to drop is missing: give an ID or --all");
  }
  const settings = await loadSettings(args);
  const config = resolveConfig(settings.config, settings);
  using state = await openState(config);
  const letters = lettersOf(state, ids);
  await action({ state, letters, json: args.has("json"), settings, config, signal });
}

function actionOf(name: string): (context: ActionContext) => Promise<void> {
  if (Object.hasOwn(ACTIONS, name)) return ACTIONS[name];
  throw new UsageError(
    `Unknown action "${name}" of dead-letters, ${suggest(name, Object.keys(ACTIONS))}`,
  );
}

/** Opens what is there: a new state has no dead letters, and would hide that a flag is wrong. */
async function openState(
  { state: path, server, store, movedFrom }: ResolvedConfig,
): Promise<State> {
  const problem = await Deno.stat(path).then(() => undefined, (error) => error);
  if (problem instanceof Deno.errors.NotFound) {
    throw new StateError(
      `There is no state ${path}: use the --config, --server and --state of feedsync watch`,
    );
  }
  return new State(path, { server, store, movedFrom }, systemEnvironment.random);
}

/** The letters with these ids; all when there is none. */
function lettersOf(state: State, ids: readonly string[]): ListedLetter[] {
  const letters = state.deadLetters.all();
  if (ids.length === 0) return letters;
  const known = new Set(letters.map(({ id }) => String(id)));
  const missing = ids.filter((id) => !known.has(id));
  if (missing.length > 0) {
    throw new BadInputError(
      `There is no dead letter ${missing.join(", ")} in ${state.path}, see dead-letters list`,
    );
  }
  return letters.filter(({ id }) => ids.includes(String(id)));
}

async function list({ letters, json }: ActionContext): Promise<void> {
  for (const letter of letters) await tell(letter, { json });
}

async function show({ state, letters, json }: ActionContext): Promise<void> {
  for (const { id } of letters) {
    const letter = state.deadLetters.get(id);
    if (!letter) continue; // Gone meanwhile.
    if (json) {
      await printJson({ ...letterToJson(letter), update: JSON.parse(letter.content) });
    } else {
      await tell(letter, { json });
      await print(letter.content);
    }
  }
}

async function drop({ state, letters, json }: ActionContext): Promise<void> {
  state.transaction(() => {
    for (const { id } of letters) state.deadLetters.drop(id);
  });
  for (const letter of letters) await tell(letter, { json, status: "dropped" });
}
