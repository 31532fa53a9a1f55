/**
 * The commands, in the order of the help. `deno.json` also names the `run.ts` of each, since
 * `deno compile` cannot find them automatically.
 *
 * @module
 */
import { check } from "./check/command.ts";
import { checked } from "./checked/command.ts";
import { cleanup } from "./cleanup/command.ts";
import type { Command } from "./command.ts";
import { completions } from "./completions/command.ts";
import { cost } from "./cost/command.ts";
import { deadLetters } from "./dead_letters/command.ts";
import { demo } from "./demo/command.ts";
import { due } from "./due/command.ts";
import { feeds } from "./feeds/command.ts";
import { get } from "./get/command.ts";
import { init } from "./init/command.ts";
import { keygen } from "./keygen/command.ts";
import { objects } from "./objects/command.ts";
import { publish } from "./publish/command.ts";
import { restore } from "./restore/command.ts";
import { rekey } from "./rekey/command.ts";
import { state } from "./state/command.ts";
import { status } from "./status/command.ts";
import { tail } from "./tail/command.ts";
import { version } from "./version/command.ts";
import { watch } from "./watch/command.ts";

/** All commands. */
export const COMMANDS: readonly Command[] = [
  init,
  watch,
  publish,
  tail,
  get,
  feeds,
  status,
  check,
  due,
  checked,
  restore,
  cleanup,
  deadLetters,
  objects,
  state,
  keygen,
  rekey,
  cost,
  demo,
  completions,
  version,
];

/** The module with the `run()` of a command, relative to `cli.ts`. */
export function moduleOf({ name }: Command): string {
  return `./lib/cli/${name.replaceAll("-", "_")}/run.ts`;
}
