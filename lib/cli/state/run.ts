/**
 * `feedsync state`: shows, checks, backs up, renames or moves the state of this server.
 *
 * @module
 */
import { resolve } from "node:path";
import { suggest } from "../../base/nearest.ts";
import { backUp } from "../../state/backup.ts";
import { damageError, findDamage } from "../../state/integrity.ts";
import { summarize } from "../../state/summary.ts";
import type { CommandContext } from "../command.ts";
import { UsageError } from "../exit.ts";
import { print, printJson } from "../output.ts";
import { loadSettings, requireState } from "../settings.ts";
import type { ActionContext } from "./context.ts";
import { move } from "./move.ts";
import { rename } from "./rename.ts";
import { queueText, sizeText, summaryLines } from "./text.ts";

/** An action, and the name of its operand. */
interface Action {
  readonly operand?: string;
  run(context: ActionContext): Promise<void>;
}

const ACTIONS: Readonly<Record<string, Action>> = {
  show: { run: show },
  check: { run: check },
  backup: { operand: "FILE", run: backup },
  rename: { operand: "NEW-NAME", run: rename },
  move: { run: move },
};

/** Runs the action that the first operand names. */
export async function run({ args, signal }: CommandContext): Promise<void> {
  const [name, operand = ""] = args.operands;
  const action = actionOf(name);
  if (action.operand && operand === "") throw new UsageError(`${action.operand} is missing`);
  if (!action.operand && operand !== "") {
    throw new UsageError(`Unexpected argument ${JSON.stringify(operand)}`);
  }
  if (args.has("incomplete") && name !== "move") {
    throw new UsageError("--incomplete is of move only");
  }
  const settings = await loadSettings(args);
  const path = settings.config.state;
  await requireState(path);
  const report = async (value: unknown, ...lines: string[]) => {
    if (args.has("json")) return await printJson(value);
    for (const line of lines) await print(line);
  };
  await action.run({ path, operand, args, settings, signal, report });
}

function actionOf(name: string): Action {
  if (Object.hasOwn(ACTIONS, name)) return ACTIONS[name];
  throw new UsageError(`Unknown action "${name}" of state, ${suggest(name, Object.keys(ACTIONS))}`);
}

async function show({ path, report }: ActionContext): Promise<void> {
  const { path: state, ...summary } = summarize(path);
  await report({ state, ...summary }, ...summaryLines({ path, ...summary }));
}

async function check({ path: state, report }: ActionContext): Promise<void> {
  const problems = findDamage(state);
  await report({ state, problems }, ...problems.length > 0 ? problems : [`${state} is sound`]);
  if (problems.length === 0) return;
  throw damageError(state);
}

async function backup({ path, operand, report }: ActionContext): Promise<void> {
  const file = resolve(operand);
  const { server, bytes, queued } = await backUp(path, file);
  await report(
    { state: path, server, file, bytes, queued },
    `backed ${server} up to ${file}: ${sizeText(bytes)}, ${queueText(queued)}`,
  );
}
