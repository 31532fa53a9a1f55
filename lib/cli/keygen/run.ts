/**
 * `feedsync keygen`: creates keys, and selects the one that encrypts.
 *
 * @module
 */
import { addKey, dropKey, makeKeyFile, putFirst } from "../../log/encryption/edit_keys.ts";
import type { Arguments, CommandContext } from "../command.ts";
import { UsageError } from "../exit.ts";
import { print, printJson } from "../output.ts";

/** The result. */
interface Report {
  readonly text: string;
  /** Ids of the keys in the file, the one that encrypts first. */
  readonly keys: readonly string[];
}

/** Creates or changes the key file; prints the ids of keys, never a key. */
export async function run({ args }: CommandContext): Promise<void> {
  const [file] = args.operands;
  const { text, keys } = await changeKeys(args, file);
  await (args.has("json") ? printJson({ file, keys }) : print(text));
}

async function changeKeys(args: Arguments, file: string): Promise<Report> {
  const add = args.has("add"), first = args.value("first"), drop = args.value("drop");
  if ([add, first !== undefined, drop !== undefined].filter(Boolean).length > 1) {
    throw new UsageError("Only one of --add, --first and --drop can be given");
  }
  if (first !== undefined) {
    return { keys: await putFirst(file, first), text: `${first} is now the first in ${file}` };
  }
  if (drop !== undefined) {
    return { keys: await dropKey(file, drop), text: `dropped ${drop} from ${file}` };
  }
  const keys = await (add ? addKey : makeKeyFile)(file);
  return { keys, text: `${add ? "added" : "wrote"} ${keys.at(-1)} to ${file}` };
}
