/**
 * Stands in for the function of that name in `@std/cli`, where JSR cannot be reached: the options
 * that feedsync uses, with the documented behaviour.
 *
 * @module
 */

/** Options of {@linkcode parseArgs}. */
export interface ParseOptions {
  /** Names whose values stay strings; `"_"` for operands. */
  string?: readonly string[];
  /** Names that take no value. */
  boolean?: readonly string[];
  /** Names whose values are collected in an array. */
  collect?: readonly string[];
  /** Other names of names. */
  alias?: Readonly<Record<string, string>>;
  /** Called for what is not declared; `key` and `value` for flags only. `false` leaves it out. */
  unknown?: (arg: string, key?: string, value?: unknown) => unknown;
}

/** Operands in `_`, flags by their names. */
export type Args = { _: (string | number)[] } & Record<string, unknown>;

/** Reads command line arguments: `--key value`, `--key=value`, `-k value`, `-abc`, `--`. */
export function parseArgs(args: string[], options: ParseOptions = {}): Args {
  return new Parser(options).parse(args);
}

const FLAG = /^--(?<key>[^=]+)(?:=(?<value>.*))?$/s;
const NUMBER = /^(0x[0-9a-f]+|[-+]?(\d+(\.\d*)?|\.\d+)(e[-+]?\d+)?)$/i;

class Parser {
  readonly #options: ParseOptions;
  readonly #result: Args = { _: [] };
  readonly #names = new Map<string, string[]>();

  constructor(options: ParseOptions) {
    this.#options = options;
    for (const [name, alias] of Object.entries(options.alias ?? {})) {
      this.#names.set(name, [name, alias]);
      this.#names.set(alias, [alias, name]);
    }
    for (const name of options.boolean ?? []) this.#assign(name, false);
    for (const name of options.collect ?? []) this.#assign(name, []);
  }

  parse(args: string[]): Args {
    for (let i = 0; i < args.length; i++) {
      const arg = args[i];
      if (arg === "--") {
        this.#result._.push(...args.slice(i + 1).map((operand) => this.#operand(operand)));
        break;
      }
      const flag = FLAG.exec(arg)?.groups;
      if (flag) i += this.#flag(arg, flag.key, flag.value, args[i + 1]);
      else if (/^-[^-]/.test(arg)) i += this.#letters(arg, args[i + 1]);
      else if (this.#options.unknown?.(arg) !== false) this.#result._.push(this.#operand(arg));
    }
    return this.#result;
  }

  /** Reads `-abc` or `-k=value`; returns how many of the next arguments were used. */
  #letters(arg: string, next: string | undefined): number {
    const [letters, value] = arg.slice(1).split(/=(.*)/s);
    for (const letter of letters.slice(0, -1)) this.#flag(arg, letter, undefined, undefined);
    return this.#flag(arg, letters[letters.length - 1], value, next);
  }

  /** Reads one flag; returns how many of the next arguments were used. */
  #flag(arg: string, key: string, value: string | undefined, next: string | undefined): number {
    const isBoolean = this.#declared("boolean", key);
    const takesNext = value === undefined && next !== undefined &&
      (isBoolean ? next === "true" || next === "false" : !next.startsWith("-"));
    const text = takesNext ? next : value;
    this.#set(arg, key, isBoolean ? text !== "false" : this.#valueOf(key, text));
    return takesNext ? 1 : 0;
  }

  #valueOf(key: string, text: string | undefined): unknown {
    if (this.#declared("string", key)) return text ?? "";
    return text !== undefined && NUMBER.test(text) ? Number(text) : text ?? true;
  }

  #set(arg: string, key: string, value: unknown): void {
    const known = this.#declared("boolean", key) || this.#declared("string", key) ||
      this.#names.has(key);
    if (!known && this.#options.unknown?.(arg, key, value) === false) return;
    const collected = this.#declared("collect", key);
    this.#assign(key, collected ? [...this.#result[key] as unknown[], value] : value);
  }

  #assign(key: string, value: unknown): void {
    for (const name of this.#names.get(key) ?? [key]) this.#result[name] = value;
  }

  #declared(kind: "string" | "boolean" | "collect", key: string): boolean {
    const declared = this.#options[kind] ?? [];
    return (this.#names.get(key) ?? [key]).some((name) => declared.includes(name));
  }

  #operand(text: string): string | number {
    return !this.#options.string?.includes("_") && NUMBER.test(text) ? Number(text) : text;
  }
}
