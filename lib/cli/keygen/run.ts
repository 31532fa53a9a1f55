/**
 * `feedsync keygen`: creates keys, and selects the one that encrypts.
 *
 * @module
 */
import {
  addKey,
  addNamesKey,
  changeNamesKey,
  dropKey,
  makeKeyFile,
  putFirst,
} from "../../log/encryption/edit_keys.ts";
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
  const names = args.has("names"), changeNames = args.has("change-names");
  const changes = [add, first !== undefined, drop !== undefined, names, changeNames];
  if (changes.filter(Boolean).length > 1) {
    throw new UsageError(
      "Only one of --add, --first, --drop, --names and --change-names can be given",
    );
  }
  if (names) {
    const { keys, namesKey } = await addNamesKey(file);
    return { keys, text: `added the names key ${namesKey} to ${file}` };
  }
  if (changeNames) {
    const { keys, namesKey } = await changeNamesKey(file);
    return { keys, text: `${namesKey} is now the names key in ${file}` };
  }
  if (first !== undefined) {
    return { keys: await putFirst(file, first), text: `${first} is now the first in ${file}` };
  }
  if (drop !== undefined) {
    if (!args.has("rekeyed")) throw new UsageError(NOT_REKEYED);
    return { keys: await dropKey(file, drop), text: `dropped ${drop} from ${file}` };
  }
  const keys = await (add ? addKey : makeKeyFile)(file);
  return { keys, text: `${add ? "added" : "wrote"} ${keys.at(-1)} to ${file}` };
}

const NOT_REKEYED =
  "--drop needs --rekeyed: the newest updates of feeds are kept permanently, and those encrypted " +
  "with this key would be lost. Run `feedsync rekey`, with the key file that all servers have, until " +
  "it reports 0 objects";
