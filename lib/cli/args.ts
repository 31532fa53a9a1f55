/**
 * Reads the arguments of a command.
 *
 * @module
 */
import { parseArgs } from "@std/cli/parse-args";
import { UsageError } from "./exit.ts";
import { checkFlagForms } from "./flag_forms.ts";

/** Which arguments a command takes. */
export interface Syntax {
  /** Names of the arguments without a flag, in order. @default none */
  readonly operands?: readonly string[];
  /** How many of them are required. @default 0 */
  readonly required?: number;
  /** Whether the last of them may be given several times. @default false */
  readonly repeated?: boolean;
  /** Flags with a value. */
  readonly values?: readonly string[];
  /** Flags with a value that may be given several times. */
  readonly lists?: readonly string[];
  /** Flags without a value. */
  readonly switches?: readonly string[];
}

/** The arguments that all commands take. */
const COMMON = {
  values: ["config", "server", "store", "state"],
  switches: ["json", "verbose", "quiet"],
} as const;

/** The arguments of a command. */
export class Arguments {
  /** Those without a flag. */
  readonly operands: readonly string[];
  readonly #values: ReadonlyMap<string, readonly string[]>;
  readonly #switches: ReadonlySet<string>;

  /** Made by {@linkcode parseArguments}. */
  constructor(
    operands: readonly string[],
    values: ReadonlyMap<string, readonly string[]>,
    switches: ReadonlySet<string>,
  ) {
    this.operands = operands;
    this.#values = values;
    this.#switches = switches;
  }

  /** Value of the flag `--name`. */
  value(name: string): string | undefined {
    return this.#values.get(name)?.[0];
  }

  /** Values of a flag that may be given several times. */
  list(name: string): readonly string[] {
    return this.#values.get(name) ?? [];
  }

  /** Whether `--name` is there. */
  has(name: string): boolean {
    return this.#switches.has(name);
  }
}

/**
 * Reads what stands behind the name of a command.
 *
 * @throws {UsageError} for unknown or malformed flags, missing values, and too many or too few operands.
 */
export function parseArguments(args: readonly string[], syntax: Syntax): Arguments {
  const lists = syntax.lists ?? [];
  const values = [...COMMON.values, ...syntax.values ?? [], ...lists];
  const switches = [...COMMON.switches, ...syntax.switches ?? []];
  checkFlagForms(args, { values, switches });
  const parsed = parseArgs([...args], {
    string: [...values, "_"],
    boolean: switches,
    collect: values,
    alias: { verbose: "v", quiet: "q" },
  }) as { readonly _: unknown[]; readonly [name: string]: unknown };
  const given = new Map(values.map((name) => [name, (parsed[name] ?? []) as string[]]));
  for (const [name, texts] of given) if (!lists.includes(name)) checkOnce(name, texts);
  const operands = parsed._.map(String);
  checkOperands(operands, syntax);
  const result = new Arguments(operands, given, new Set(switches.filter((name) => parsed[name])));
  if (result.has("verbose") && result.has("quiet")) {
    throw new UsageError("Cannot be verbose (-v) and quiet (-q) at once");
  }
  return result;
}

function checkOnce(name: string, { length }: readonly string[]): void {
  if (length > 1) {
    throw new UsageError(`The flag --${name} may be given only once: there are ${length}`);
  }
}

function checkOperands(
  given: readonly string[],
  { operands = [], required = 0, repeated = false }: Syntax,
): void {
  if (given.length < required) throw new UsageError(`${operands[given.length]} is missing`);
  if (given.length > operands.length && !repeated) {
    throw new UsageError(`Unexpected argument ${JSON.stringify(given[operands.length])}`);
  }
}
