/**
 * Merges configurations.
 *
 * @module
 */
/** Merges two configurations; `over` wins, key by key in all sections. */
export function merge<T extends object>(base: T, over: T): T {
  const before = new Map(Object.entries(base));
  const merged = Object.entries(defined(over)).map(([name, value]) => {
    const other = before.get(name);
    return [name, isSection(other) && isSection(value) ? merge(other, value) : value];
  });
  return { ...base, ...Object.fromEntries(merged) };
}

function isSection(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The members that are not `undefined`, which would otherwise hide values when merged. */
export function defined<T extends object>(object: T): Partial<T> {
  const entries = Object.entries(object).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as Partial<T>;
}
