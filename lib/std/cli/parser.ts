/**
 * Reads arguments.
 *
 * @module
 */
import type { Declarations } from "./declarations.ts";

const LONG = /^--(?<negation>no-)?(?<name>.+?)(?:=(?<value>.+))?$/s;
const SHORT = /^-(?<letters>.+)$/s;

/** What the parser itself has to know. */
export interface ParserOptions {
  /** See `ParseOptions`. */
  readonly stopEarly?: boolean;
  /** See `ParseOptions`. */
  readonly unknown?: (arg: string, key?: string, value?: unknown) => unknown;
}

/** Reads arguments one by one. */
export class Parser {
  /** Flags by name. */
  readonly flags: Map<string, unknown> = new Map();
  /** Arguments without a flag. */
  readonly operands: (string | number)[] = [];
  readonly #declared: Declarations;
  readonly #options: ParserOptions;

  /** A parser that has read nothing yet. */
  constructor(declared: Declarations, options: ParserOptions) {
    this.#declared = declared;
    this.#options = options;
  }

  /** Reads arguments, none of which is `--`. */
  read(args: readonly string[]): void {
    for (let i = 0; i < args.length; i++) {
      const arg = args[i];
      const long = LONG.exec(arg)?.groups;
      const short = SHORT.exec(arg)?.groups;
      if (long) i += this.#readLong(arg, long, args[i + 1]);
      else if (short) i += this.#readShort(arg, short.letters, args[i + 1]);
      else {
        if (this.#options.unknown?.(arg) !== false) this.operands.push(this.#number("_", arg));
        if (this.#options.stopEarly) return void this.operands.push(...args.slice(i + 1));
      }
    }
  }

  /** Adds the flags that were not there. */
  fill(defaults: object): void {
    const { booleans, collected } = this.#declared;
    for (const [name, value] of Object.entries(defaults)) this.#setAbsent(name, value);
    for (const name of collected) this.#setAbsent(name, []);
    for (const name of booleans) this.#setAbsent(name, false);
  }

  /** Returns how many of the next arguments it has used. */
  #readLong(arg: string, parts: Record<string, string>, next: string | undefined): number {
    const { negation = "", name, value } = parts;
    const { booleans, allBooleans, negatable } = this.#declared;
    if (value !== undefined) {
      this.#set(arg, name, booleans.has(name) ? value !== "false" : value);
    } else if (negation !== "" && negatable.has(name)) {
      this.#set(arg, name, false, { collect: false });
    } else {
      const mayBeValue = !allBooleans && !next?.startsWith("-");
      return this.#setFromNext(arg, negation + name, mayBeValue, next);
    }
    return 0;
  }

  #readShort(arg: string, letters: string, next: string | undefined): number {
    for (let i = 0; i < letters.length - 1; i++) {
      const value = attachedValue(letters[i], letters.slice(i + 1));
      this.#set(arg, letters[i], value ?? this.#bare(letters[i]));
      if (value !== undefined) return 0;
    }
    const mayBeValue = !/^--?[^-]/.test(next ?? "");
    return this.#setFromNext(arg, letters.at(-1)!, mayBeValue, next);
  }

  #setFromNext(arg: string, name: string, mayBeValue: boolean, next: string | undefined): number {
    if (next && mayBeValue && !this.#declared.booleans.has(name)) {
      this.#set(arg, name, next);
      return 1;
    }
    const isBoolean = next === "true" || next === "false";
    this.#set(arg, name, isBoolean ? next === "true" : this.#bare(name));
    return isBoolean ? 1 : 0;
  }

  /** The value of a flag without one. */
  #bare(name: string): string | boolean {
    return this.#declared.strings.has(name) ? "" : true;
  }

  #set(arg: string, name: string, value: string | boolean, { collect = true } = {}): void {
    if (!this.#isDeclared(arg, name) && this.#options.unknown?.(arg, name, value) === false) return;
    const final = typeof value === "string" ? this.#number(name, value) : value;
    const isCollected = collect && this.#declared.collected.has(name);
    for (const key of this.#names(name)) {
      const earlier = this.flags.get(key);
      this.flags.set(key, isCollected ? [...[earlier ?? []].flat(), final] : final);
    }
  }

  #setAbsent(name: string, value: unknown): void {
    if (this.flags.has(name)) return;
    for (const key of this.#names(name)) this.flags.set(key, value);
  }

  #isDeclared(arg: string, name: string): boolean {
    const { aliases, booleans, strings, allBooleans } = this.#declared;
    if (booleans.has(name) || strings.has(name) || aliases.has(name)) return true;
    return allBooleans && /^--[^=]+$/.test(arg);
  }

  #names(name: string): string[] {
    return [name, ...this.#declared.aliases.get(name) ?? []];
  }

  #number(name: string, text: string): string | number {
    const isNumber = text.trim() !== "" && Number.isFinite(Number(text));
    return isNumber && !this.#declared.strings.has(name) ? Number(text) : text;
  }
}

/** The value within a group of short flags, behind `letter`: `-n5`, `-n=5`, `-n./path`. */
function attachedValue(letter: string, rest: string): string | undefined {
  if (rest === "-") return rest;
  if (/[A-Za-z]/.test(letter)) {
    const assigned = /=(.+)/s.exec(rest);
    if (assigned) return assigned[1];
    if (/-?\d+(\.\d*)?(e-?\d+)?$/.test(rest)) return rest;
  }
  return rest.length > 1 && /\W/.test(rest[0]) ? rest : undefined;
}
