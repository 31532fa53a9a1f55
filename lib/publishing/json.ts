/**
 * Tells JSON values from what `JSON.stringify` would change or drop in silence.
 *
 * @module
 */
import { InvalidUpdateError } from "../errors.ts";

/** Deeper values are refused: not every reader can parse them. */
const MAX_DEPTH = 500;

/**
 * Checks that `value` is a JSON value: null, booleans, finite numbers, strings, arrays and plain
 * objects. `undefined` members of objects are left out by `JSON.stringify` and allowed.
 *
 * @throws {InvalidUpdateError} that begins with `action` and names the place, such as
 * `content.items[3].date`.
 */
export function assertJson(value: unknown, name: string, action: string): void {
  const problem = findProblem(value, name, 0);
  if (problem) throw new InvalidUpdateError(`${action} as ${problem}`);
}

function findProblem(value: unknown, place: string, depth: number): string | undefined {
  if (value === null || typeof value === "string" || typeof value === "boolean") return undefined;
  if (typeof value === "number") {
    return Number.isFinite(value) ? undefined : `'${place}' is ${value}, which is not JSON`;
  }
  if (typeof value !== "object") return `'${place}' is ${typeof value}, which is not JSON`;
  if (depth === MAX_DEPTH) {
    return `'${shorten(place)}' is nested deeper than ${MAX_DEPTH} levels, or contains itself`;
  }
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) {
      const problem = findProblem(value[i], `${place}[${i}]`, depth + 1);
      if (problem) return problem;
    }
    return undefined;
  }
  const prototype = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) {
    return `'${place}' is a ${prototype.constructor?.name}, which is not JSON`;
  }
  for (const [key, member] of Object.entries(value)) {
    if (member === undefined) continue;
    const problem = findProblem(member, `${place}.${key}`, depth + 1);
    if (problem) return problem;
  }
  return undefined;
}

function shorten(place: string): string {
  return place.length > 60 ? `${place.slice(0, 60)}…` : place;
}
