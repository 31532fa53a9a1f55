/**
 * How far JSON may be nested. Text of a few kilobytes can describe a value that no program can write
 * out again: it recurses too deep, or becomes gigabytes when it is indented, as files hold it.
 *
 * @module
 */

/** Values are nested at most so deep: not every program can parse more. */
const MAX_DEPTH = 500;

/** What indenting a value adds to it, in bytes. */
const MAX_INDENTATION = 64 * 1024 * 1024;

/** Why a value can neither be published nor applied; undefined when it can. */
export function shapeProblem(value: unknown): string | undefined {
  let indentation = 0;
  const look = (value: unknown, depth: number): string | undefined => {
    if (typeof value !== "object" || value === null) return undefined;
    if (depth === MAX_DEPTH) {
      return `nested deeper than ${MAX_DEPTH} levels, or contains itself`;
    }
    const members = Array.isArray(value) ? value : Object.values(value);
    indentation += 2 * members.length * (depth + 1);
    if (indentation > MAX_INDENTATION) {
      return `nested so that indenting it adds more than ${MAX_INDENTATION} bytes`;
    }
    for (const member of members) {
      const problem = look(member, depth + 1);
      if (problem) return problem;
    }
    return undefined;
  };
  return look(value, 0);
}
