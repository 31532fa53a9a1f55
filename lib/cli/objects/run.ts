/**
 * `feedsync objects`: lists, shows or drops objects of the bucket.
 *
 * @module
 */
import { suggest } from "../../base/nearest.ts";
import { connectionOf } from "../../connection.ts";
import { FeedSyncError, messageOf } from "../../errors.ts";
import type { BucketLog } from "../../log/bucket_log.ts";
import type { InspectedObject } from "../../log/objects/object_log.ts";
import { KEEPS_VERSIONS } from "../../retention/clean_up.ts";
import { checkKey, checkPrefix } from "../../stores/object_key.ts";
import type { Arguments, CommandContext } from "../command.ts";
import { BadInputError, UsageError } from "../exit.ts";
import { connectToLookUp } from "../lookup.ts";
import { print, printJson } from "../output.ts";
import { loadSettings, logger } from "../settings.ts";
import { consequenceOf, mayBeReadable } from "./consequence.ts";
import { inspectedJson, inspectedLines, listedJson, listLine } from "./text.ts";

/** What an action works with. */
interface ActionContext {
  readonly log: BucketLog;
  readonly args: Arguments;
  /** The operands behind the action, relative to the store. */
  readonly keys: readonly string[];
  /** Whether results are printed as JSON. */
  readonly json: boolean;
  readonly signal: AbortSignal;
}

/** An action, and what it takes. */
interface Action {
  readonly flags: readonly string[];
  readonly minKeys: number;
  readonly maxKeys: number;
  run(context: ActionContext): Promise<number | void>;
}

const ACTIONS: Readonly<Record<string, Action>> = {
  list: { flags: ["foreign"], minKeys: 0, maxKeys: 1, run: list },
  show: { flags: ["content"], minKeys: 1, maxKeys: 1, run: show },
  drop: { flags: ["force", "dry-run"], minKeys: 1, maxKeys: Infinity, run: drop },
};

/** Runs the action that the first operand names. */
export async function run({ args, signal }: CommandContext): Promise<number | void> {
  const [name, ...operands] = args.operands;
  const action = actionOf(name);
  checkArguments(name, action, args);
  const settings = await loadSettings(args);
  await using sync = await connectToLookUp(settings);
  if (!sync.enabled) return;
  const { log } = connectionOf(sync).parts!;
  const check = action.run === list ? checkPrefix : checkKey;
  const keys = operands.map((operand) => keyIn(log.url, operand, check));
  return await action.run({ log, args, keys, json: args.has("json"), signal });
}

function actionOf(name: string): Action {
  if (Object.hasOwn(ACTIONS, name)) return ACTIONS[name];
  throw new UsageError(
    `Unknown action "${name}" of objects, ${suggest(name, Object.keys(ACTIONS))}`,
  );
}

function checkArguments(name: string, { minKeys, maxKeys }: Action, args: Arguments): void {
  const count = args.operands.length - 1;
  if (count < minKeys) throw new UsageError(`KEY is missing: see \`feedsync objects list\``);
  if (count > maxKeys) {
    throw new UsageError(`Unexpected argument ${JSON.stringify(args.operands[maxKeys + 1])}`);
  }
  for (const [other, { flags }] of Object.entries(ACTIONS)) {
    const wrong = other === name ? undefined : flags.find((flag) => args.has(flag));
    if (wrong !== undefined) throw new UsageError(`--${wrong} is of ${other} only`);
  }
}

/**
 * The key relative to the store, which may also be given as a URL.
 *
 * @throws {UsageError} when it leads out of the store.
 */
function keyIn(store: string, text: string, check: (key: string) => void): string {
  const key = text.startsWith(`${store}/`) ? text.slice(store.length + 1) : text;
  try {
    check(key);
    return key;
  } catch (cause) {
    throw new UsageError(
      `${messageOf(cause)}; keys are below ${store}, as \`feedsync objects list\` prints them`,
      { cause },
    );
  }
}

async function list({ log, args, keys: [prefix = ""], json, signal }: ActionContext) {
  for await (const object of log.objects.list(prefix, { signal })) {
    if (args.has("foreign") && object.meaning.kind !== "foreign") continue;
    await (json ? printJson(listedJson(object)) : print(listLine(object)));
  }
}

async function show({ log, args, keys: [key], json, signal }: ActionContext) {
  const object = await inspect(log, key, signal);
  const withContent = args.has("content");
  if (json) await printJson(inspectedJson(object, { withContent }));
  else for (const line of inspectedLines(object, { withContent })) await print(line);
  if (object.unreadable) return 1;
}

async function drop({ log, args, keys, json, signal }: ActionContext) {
  const isDry = args.has("dry-run"), status = isDry ? "would drop" : "dropped";
  for (const key of keys) {
    const object = await inspect(log, key, signal);
    const consequence = await consequenceOf(log, object, { signal });
    if (!args.has("force") && mayBeReadable(object)) throw refusal(object, consequence);
    if (!json) await print(`${key}: ${consequence}`);
    if (!isDry) await log.objects.delete(key, { signal });
    await (json
      ? printJson({ ...listedJson(object), consequence, status })
      : print(`${status} ${key}`));
  }
  if (log.keepsVersions) logger.warn(KEEPS_VERSIONS, { store: log.url });
}

function refusal({ key, unreadable }: InspectedObject, consequence: string): FeedSyncError {
  const why = unreadable
    ? `this server cannot read it, but others may: ${unreadable.error.message}`
    : "it can be read";
  return new FeedSyncError(
    `Will not drop ${key}: ${why}. ${consequence}. --force drops it nevertheless`,
  );
}

async function inspect(log: BucketLog, key: string, signal: AbortSignal): Promise<InspectedObject> {
  const object = await log.objects.inspect(key, { signal });
  if (object) return object;
  throw new BadInputError(`There is no object ${key} in ${log.url}: see \`feedsync objects list\``);
}
