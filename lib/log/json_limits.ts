/**
 * How much JSON may describe, and how far it may be nested. Text of a few kilobytes, once unpacked, can
 * describe a value that takes gigabytes of memory, or that no program can write out again: it recurses
 * too deep, or becomes gigabytes when it is indented, as files hold it.
 *
 * @module
 */

/** Values are nested at most so deep: not every program can parse more. */
const MAX_DEPTH = 500;

/**
 * An object of the bucket holds at most so many values. Each may take 200 bytes of memory, however short
 * its text is; that of a feed is far longer.
 */
export const MAX_VALUES = 1_000_000;

/** What indenting all values of an object of the bucket adds to them, in bytes. */
export const MAX_INDENTATION: number = 64 * 1024 * 1024;

/** Adds up what the values of an update, or of all updates of an object, are made of. */
export class Shape {
  #values = 0;
  #indentation = 0;

  /** How many values there are: members of arrays and objects, and those that have none. */
  get values(): number {
    return this.#values;
  }

  /** What indenting them adds, in bytes; closing brackets are not counted. */
  get indentation(): number {
    return this.#indentation;
  }

  /**
   * Adds a value. Returns why it can neither be published nor applied together with those before;
   * undefined when it can.
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
    if (this.#indentation > MAX_INDENTATION) {
      return `nested so that indenting it adds more than ${MAX_INDENTATION} bytes`;
    }
    return this.#values > MAX_VALUES ? `made of more than ${MAX_VALUES} values` : undefined;
  }
}

/** What a text describes. */
export interface Outline {
  /** As {@linkcode Shape} counts them. */
  readonly values: number;
  /** As {@linkcode Shape} counts it, or more: here, what is empty has a line in it. */
  readonly indentation: number;
}

const [QUOTE, BACKSLASH, COMMA, ...BRACKETS] = Array.from('"\\,[]{}', (text) => text.charCodeAt(0));
const [BEGIN_ARRAY, END_ARRAY, BEGIN_OBJECT, END_OBJECT] = BRACKETS;

/** Tells what the text of JSON describes, without making a value of it. */
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

/** The place of the quote that ends the string that begins at `start`. */
function endOfString(json: string, start: number): number {
  let end = start;
  do {
    end = json.indexOf('"', end + 1);
    if (end === -1) return json.length;
  } while (isEscaped(json, end));
  return end;
}

/** Whether an odd number of backslashes is before the place. */
function isEscaped(json: string, place: number): boolean {
  let before = place - 1;
  while (json.charCodeAt(before) === BACKSLASH) before--;
  return (place - before) % 2 === 0;
}
