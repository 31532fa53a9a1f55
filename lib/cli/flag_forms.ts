/**
 * Checks the forms of flags before the arguments are parsed: parsers read unusual forms in
 * different ways, some even as the opposite.
 *
 * @module
 */
import { suggest } from "../base/nearest.ts";
import type { Flag } from "./command.ts";
import { UsageError } from "./exit.ts";

/** The flags that a command accepts, without dashes. */
type FlagList = readonly (readonly [name: string, flag: Flag])[];

/**
 * Checks that every flag is known and has one of the forms `--switch`, `--name VALUE`,
 * `--name=VALUE` and `-v`, with any number of letters. Behind `--` there are no flags.
 *
 * @throws {UsageError} for the first wrong flag, with the correct form.
 */
export function checkFlagForms(args: readonly string[], known: FlagList): void {
  const switches = known.filter(([, { value }]) => value === undefined);
  const letters = new Set(switches.map(([, { short }]) => short));
  const end = args.indexOf("--");
  const flags = end < 0 ? args : args.slice(0, end);
  for (let i = 0; i < flags.length; i++) {
    const arg = flags[i];
    if (!arg.startsWith("-") || arg === "-") continue;
    const [flag] = arg.split("=", 1);
    const assigned = arg.length > flag.length ? arg.slice(flag.length + 1) : undefined;
    const found = known.find(([name, { short, value }]) =>
      flag === `--${name}` || value !== undefined && flag === `-${short}`
    )?.[1];
    if (found?.value !== undefined) {
      checkValue(flag, assigned ?? flags[i + 1], { assigned: assigned !== undefined });
      if (assigned === undefined) i++;
    } else if (found || /^-[a-z]/.test(flag) && [...flag.slice(1)].every((l) => letters.has(l))) {
      checkSwitch(flag, assigned, flags[i + 1]);
    } else throw unknownFlag(flag, known);
  }
}

function checkValue(
  flag: string,
  value: string | undefined,
  { assigned }: { readonly assigned: boolean },
): void {
  if (value === undefined || value === "") {
    throw new UsageError(`The flag ${flag} needs a value: write ${flag}=VALUE`);
  }
  if (assigned || !value.startsWith("-")) return;
  throw new UsageError(
    `The flag ${flag} needs a value, and ${value} looks like a flag: write ${flag}=VALUE`,
  );
}

function checkSwitch(flag: string, assigned: string | undefined, next: string | undefined): void {
  if (assigned !== undefined) {
    throw new UsageError(
      `The flag ${flag} takes no value, but has ${
        JSON.stringify(assigned)
      }: write ${flag}, or leave it out`,
    );
  }
  // Some parsers read these as the value of a switch.
  if (next !== "true" && next !== "false") return;
  throw new UsageError(
    `The flag ${flag} takes no value, but ${next} follows it: write ${flag} alone, or leave it ` +
      `out; for a file of that name write ./${next}`,
  );
}

function unknownFlag(flag: string, known: FlagList): UsageError {
  const negated = /^--no-(.+)$/.exec(flag)?.[1];
  if (known.some(([name, { value }]) => name === negated && value === undefined)) {
    return new UsageError(`Unknown flag ${flag}: leave out --${negated} instead`);
  }
  const names = known.map(([name]) => `--${name}`);
  const letters = known.flatMap(([, { short }]) => short ? [`-${short}`] : []);
  return new UsageError(`Unknown flag ${flag}, ${suggest(flag, [...names, ...letters])}`);
}
