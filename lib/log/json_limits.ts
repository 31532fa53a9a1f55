/**
 * Limits the size and nesting of JSON. A text of a few kilobytes can describe a value that takes
 * gigabytes of memory, or that no program can write again, because it is nested too deep, or takes
 * gigabytes when indented as in files.
 *
 * @module
 */

/** Maximum nesting of values: not every program can parse more. */
const MAX_DEPTH = 500;

/**
 * Maximum number of values in an object of the bucket. Each may take 200 bytes of memory, however
 * short its text; the values of feeds have far longer texts.
 */
export const MAX_VALUES = 1_000_000;

/**
 * Maximum indentation that all values of an object of the bucket may take when they are written to
 * files.
 */
export const MAX_INDENTATION_BYTES: number = 64 * 1024 * 1024;

/** Counts the values and the indentation of an update, or of all updates of an object. */
export class Shape {
  #values = 0;
  #indentation = 0;

  /** Number of values: members of arrays and objects, and empty arrays and objects. */
  get values(): number {
    return this.#values;
  }

  /** Bytes of indentation, without that of closing brackets. */
  get indentation(): number {
    return this.#indentation;
  }

  /**
   * Adds a value. Returns why it exceeds the limits together with the values before; undefined when
   * it does not.
   */
  add(value: unknown): string | undefined {
    return this.#add(value, 0);
  }

  #add(value: unknown, depth: number): string | undefined {
    if (typeof value !== "object" || value === null) return undefined;
    if (depth === MAX_DEPTH) {
      return `nested deeper than ${MAX_DEPTH} levels, or contains itself`;
    }
    const members = Array.isArray(value) ? value : Object.values(value);
    const problem = this.#count(members.length, depth + 1);
    if (problem) return problem;
    for (const member of members) {
      const problem = this.#add(member, depth + 1);
      if (problem) return problem;
    }
    return undefined;
  }

  #count(members: number, depth: number): string | undefined {
    this.#values += Math.max(members, 1);
    this.#indentation += 2 * members * depth;
    if (this.#indentation > MAX_INDENTATION_BYTES) {
      return `nested so that indenting it adds more than ${MAX_INDENTATION_BYTES} bytes`;
    }
    return this.#values > MAX_VALUES ? `made of more than ${MAX_VALUES} values` : undefined;
  }
}

/** Estimated size of the value that a text describes. */
export interface Outline {
  /** Number of values, as in {@linkcode Shape}. */
  readonly values: number;
  /**
   * Bytes of indentation, as in {@linkcode Shape} or more: here an empty array or object counts as
   * one line.
   */
  readonly indentation: number;
}

const [QUOTE, BACKSLASH, COMMA, ...BRACKETS] = Array.from('"\\,[]{}', (text) => text.charCodeAt(0));
const [BEGIN_ARRAY, END_ARRAY, BEGIN_OBJECT, END_OBJECT] = BRACKETS;

/** Measures the value that a JSON text describes, without parsing it. */
export function outlineOf(json: string): Outline {
  let values = 0, indentation = 0, depth = 0;
  for (let i = 0; i < json.length; i++) {
    const code = json.charCodeAt(i);
    if (code === QUOTE) i = endOfString(json, i);
    else if (code === END_ARRAY || code === END_OBJECT) depth--;
    else if (code === COMMA || code === BEGIN_ARRAY || code === BEGIN_OBJECT) {
      if (code !== COMMA) depth++;
      values++;
      indentation += 2 * depth;
    }
  }
  return { values, indentation };
}

/** The index of the quote that ends the string beginning at `start`. */
function endOfString(json: string, start: number): number {
  let end = start;
  do {
    end = json.indexOf('"', end + 1);
    if (end === -1) return json.length;
  } while (isEscaped(json, end));
  return end;
}

/** Whether an odd number of backslashes precedes the index. */
function isEscaped(json: string, place: number): boolean {
  let before = place - 1;
  while (json.charCodeAt(before) === BACKSLASH) before--;
  return (place - before) % 2 === 0;
}
