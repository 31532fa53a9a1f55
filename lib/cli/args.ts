/**
 * Parses the arguments of a command.
 *
 * @module
 */
import { parseArgs } from "@std/cli/parse-args";
import { allFlags, Arguments, type Operand, type Syntax } from "./command.ts";
import { UsageError } from "./exit.ts";
import { checkFlagForms } from "./flag_forms.ts";

/**
 * Parses the arguments after the name of a command.
 *
 * @throws {UsageError} for unknown or malformed flags, missing values, and too many or too few
 * operands.
 */
export function parseArguments(args: readonly string[], syntax: Syntax): Arguments {
  const flags = Object.entries(allFlags(syntax));
  const values = flags.filter(([, { value }]) => value !== undefined);
  const switches = flags.filter(([, { value }]) => value === undefined).map(([name]) => name);
  checkFlagForms(args, flags);
  const parsed = parseArgs([...args], {
    string: [...values.map(([name]) => name), "_"],
    boolean: switches,
    collect: values.map(([name]) => name),
    alias: Object.fromEntries(flags.flatMap(([name, { short }]) => short ? [[name, short]] : [])),
  }) as { readonly _: unknown[]; readonly [name: string]: unknown };
  const given = new Map(values.map(([name]) => [name, (parsed[name] ?? []) as string[]]));
  for (const [name, { repeated }] of values) if (!repeated) checkOnce(name, given.get(name)!);
  const operands = parsed._.map(String);
  checkOperands(operands, syntax.operands ?? []);
  const result = new Arguments(operands, given, new Set(switches.filter((name) => parsed[name])));
  if (result.has("verbose") && result.has("quiet")) {
    throw new UsageError("Cannot be both verbose (-v) and quiet (-q)");
  }
  return result;
}

function checkOnce(name: string, { length }: readonly string[]): void {
  if (length > 1) {
    throw new UsageError(
      `The flag --${name} was given ${length} times, but may be given only once`,
    );
  }
}

function checkOperands(given: readonly string[], operands: readonly Operand[]): void {
  const missing = operands[given.length];
  if (missing?.required) throw new UsageError(`${missing.name} is missing`);
  if (given.length > operands.length && !operands.at(-1)?.repeated) {
    throw new UsageError(`Unexpected argument ${JSON.stringify(given[operands.length])}`);
  }
}
