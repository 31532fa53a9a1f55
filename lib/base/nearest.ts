/**
 * Finds what somebody meant who misspelt a name.
 *
 * @module
 */

/** The candidate most like `name`, `undefined` when none is like it. */
export function nearest(name: string, candidates: Iterable<string>): string | undefined {
  const wanted = plain(name);
  let best: string | undefined;
  let least = Math.max(2, Math.floor(wanted.length / 3)) + 1;
  for (const candidate of candidates) {
    const known = plain(candidate);
    const begun = wanted.length > 1 && known.startsWith(wanted);
    const distance = begun ? 1 : editDistance(wanted, known);
    if (distance < least) [best, least] = [candidate, distance];
  }
  return best;
}

/** `did you mean "poll"?`, or all the choices when none is like `name`. */
export function suggest(name: string, candidates: readonly string[]): string {
  const found = nearest(name, candidates);
  if (found !== undefined) return `did you mean "${found}"?`;
  return candidates.length === 1
    ? `there is only "${candidates[0]}"`
    : `there are ${candidates.join(", ") || "none"}`;
}

/** Spelling without what differs between `maxAge`, `max-age` and `MAX_AGE`. */
function plain(name: string): string {
  return name.toLowerCase().replace(/[-_. ]/g, "");
}

/** How many letters must be added, dropped or replaced to turn `from` into `to` (Levenshtein). */
function editDistance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (let i = 1; i <= from.length; i++) {
    const next = [i];
    for (let j = 1; j <= to.length; j++) {
      const replaced = row[j - 1] + (from[i - 1] === to[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, row[j] + 1, next[j - 1] + 1));
    }
    row = next;
  }
  return row[to.length];
}
