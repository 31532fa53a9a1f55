/**
 * Stands in for `@std/cli/parse-args` where JSR cannot be reached: the options that feedsync uses,
 * with the same results.
 *
 * @module
 */

/** Options of {@linkcode parseArgs}. */
export interface ParseOptions {
  /** Flags whose values stay text even when they look like numbers; `"_"` for operands. */
  readonly string?: readonly string[];
  /** Flags without a value, `false` when they are not there. */
  readonly boolean?: readonly string[];
  /** Flags that may be given several times; the result is an array. */
  readonly collect?: readonly string[];
  /** Other names of flags. */
  readonly alias?: Readonly<Record<string, string>>;
  /** Called with what is not declared; when it returns `false`, that is left out. */
  readonly unknown?: (arg: string, key?: string, value?: unknown) => unknown;
}

/** Flags by their names; arguments without a flag are in `_`. */
export type Args = { _: (string | number)[] } & Record<string, unknown>;

/**
 * Takes the arguments of a command line apart: `--name`, `--name=value`, `--name value`, `-n`,
 * `-n value`, `-n5`, `-abc`, and all others, which go to `_` like everything behind `--`. What
 * looks like a number becomes one unless it is declared as text. Odd forms are read as oddly as there:
 * whoever must not misread them checks them before.
 */
export function parseArgs(args: string[], options: ParseOptions = {}): Args {
  const dashes = args.indexOf("--");
  const parser = new Parser(options);
  parser.read(dashes === -1 ? args : args.slice(0, dashes));
  const behind = dashes === -1 ? [] : args.slice(dashes + 1);
  return { ...Object.fromEntries(parser.flags), _: [...parser.operands, ...behind] };
}

const LONG = /^--(?<negation>no-)?(?<bare>.+?)(?:=(?<value>.*))?$/s;
const SHORT = /^-(?<letters>.+)$/s;

class Parser {
  readonly flags = new Map<string, unknown>();
  readonly operands: (string | number)[] = [];
  readonly #aliases: ReadonlyMap<string, string>;
  readonly #strings: ReadonlySet<string>;
  readonly #booleans: ReadonlySet<string>;
  readonly #collected: ReadonlySet<string>;
  readonly #unknown: ParseOptions["unknown"];

  constructor({ string = [], boolean = [], collect = [], alias = {}, unknown }: ParseOptions) {
    const pairs = Object.entries(alias);
    this.#aliases = new Map([...pairs, ...pairs.map(([a, b]) => [b, a] as const)]);
    const withAliases = (names: readonly string[]) =>
      new Set(names.flatMap((name) => this.#namesOf(name)));
    this.#strings = withAliases(string);
    this.#booleans = withAliases(boolean);
    this.#collected = withAliases(collect);
    this.#unknown = unknown;
    for (const name of this.#booleans) this.flags.set(name, false);
    for (const name of this.#collected) this.flags.set(name, []);
  }

  read(args: readonly string[]): void {
    for (let i = 0; i < args.length; i++) {
      const arg = args[i];
      const long = LONG.exec(arg)?.groups;
      const short = SHORT.exec(arg)?.groups;
      if (long) i += this.#readLong(arg, long, args[i + 1]);
      else if (short) i += this.#readShort(arg, short.letters, args[i + 1]);
      else if (this.#unknown?.(arg) !== false) this.operands.push(this.#typed("_", arg));
    }
  }

  /** Returns how many of the next arguments it has used. */
  #readLong(
    arg: string,
    { negation = "", bare = "", value }: Record<string, string | undefined>,
    next: string | undefined,
  ): number {
    if (!value) return this.#readNext(arg, negation + bare, next, !next?.startsWith("-"));
    // With a value `no-` is passed over there, too: `--no-switch=1` turns the switch on.
    this.#set(arg, bare, this.#booleans.has(bare) ? value !== "false" : value);
    return 0;
  }

  #readShort(arg: string, letters: string, next: string | undefined): number {
    for (let i = 0; i < letters.length - 1; i++) {
      const value = attachedValue(letters[i], letters.slice(i + 1));
      this.#set(arg, letters[i], value ?? this.#bare(letters[i]));
      if (value !== undefined) return 0;
    }
    return this.#readNext(arg, letters.at(-1)!, next, !/^--?[^-]/.test(next ?? ""));
  }

  #readNext(arg: string, name: string, next: string | undefined, mayBeValue: boolean): number {
    const isBoolean = next === "true" || next === "false";
    if (next && mayBeValue && !this.#booleans.has(name)) this.#set(arg, name, next);
    else if (isBoolean) this.#set(arg, name, next === "true");
    else {
      this.#set(arg, name, this.#bare(name));
      return 0;
    }
    return 1;
  }

  /** What a flag without a value is set to. */
  #bare(name: string): string | boolean {
    return this.#strings.has(name) ? "" : true;
  }

  #set(arg: string, name: string, value: string | boolean): void {
    const isDeclared = [this.#strings, this.#booleans, this.#aliases].some((set) => set.has(name));
    if (!isDeclared && this.#unknown?.(arg, name, value) === false) return;
    const typed = typeof value === "string" ? this.#typed(name, value) : value;
    for (const key of this.#namesOf(name)) {
      const earlier = this.#collected.has(key) ? this.flags.get(key) as unknown[] : undefined;
      this.flags.set(key, earlier ? [...earlier, typed] : typed);
    }
  }

  #namesOf(name: string): string[] {
    const alias = this.#aliases.get(name);
    return alias === undefined ? [name] : [name, alias];
  }

  #typed(name: string, text: string): string | number {
    const isNumber = text.trim() !== "" && Number.isFinite(Number(text));
    return isNumber && !this.#strings.has(name) ? Number(text) : text;
  }
}

/** The value within a group of letters, behind `letter`: `-n5`, `-n=5`, `-n./path`. */
function attachedValue(letter: string, rest: string): string | undefined {
  if (rest === "-") return rest;
  if (/[A-Za-z]/.test(letter)) {
    const assigned = /=(.+)/s.exec(rest);
    if (assigned) return assigned[1];
    if (/-?\d+(\.\d*)?(e-?\d+)?$/.test(rest)) return rest;
  }
  return rest.length > 1 && /\W/.test(rest[0]) ? rest : undefined;
}
