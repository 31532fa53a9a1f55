/**
 * Distinguishes JSON values from values that `JSON.stringify` would silently change or drop.
 *
 * @module
 */
import { InvalidUpdateError } from "../errors.ts";
import type { Shape } from "../log/json_limits.ts";

/**
 * Checks that `value` is a JSON value: null, booleans, finite numbers, strings, arrays and plain
 * objects. Together with the values that `shape` has counted, they must not be too many, nor nested too deep.
 * Members that are `undefined` are allowed: `JSON.stringify` leaves them out.
 *
 * @throws {InvalidUpdateError} that begins with `action` and names the place, such as
 * `content.items[3].date`.
 */
export function assertJson(
  value: unknown,
  name: string,
  { action, shape }: { action: string; shape: Shape },
): void {
  const excess = shape.add(value);
  const problem = excess ? `'${name}' is ${excess}` : findProblem(value, name);
  if (problem) throw new InvalidUpdateError(`${action}: ${problem}`);
}

function findProblem(value: unknown, place: string): string | undefined {
  if (value === null || typeof value === "string" || typeof value === "boolean") return undefined;
  if (typeof value === "number") {
    return Number.isFinite(value) ? undefined : `'${place}' is ${value}, which is not JSON`;
  }
  if (typeof value !== "object") return `'${place}' is ${typeof value}, which is not JSON`;
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) {
      const problem = findProblem(value[i], `${place}[${i}]`);
      if (problem) return problem;
    }
    return undefined;
  }
  const prototype = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) {
    const kind = prototype.constructor?.name ?? "special object";
    const remedy = typeof (value as { toJSON?: unknown }).toJSON === "function"
      ? ": convert it to text or plain objects first"
      : "";
    return `'${place}' is a ${kind}, which is not JSON${remedy}`;
  }
  for (const [key, member] of Object.entries(value)) {
    if (member === undefined) continue;
    const problem = findProblem(member, `${place}.${key}`);
    if (problem) return problem;
  }
  return undefined;
}
