/**
 * How numbers and names are put into words.
 *
 * @module
 */

/** Maximum number of names in a message, and length of a text that another server chose. */
const MAX_NAMED = 10, MAX_QUOTED = 300;

/** Lists names, the first ten of them. */
export function listed(names: readonly string[]): string {
  const more = names.length > MAX_NAMED ? ` and ${names.length - MAX_NAMED} more` : "";
  return names.slice(0, MAX_NAMED).join(", ") + more;
}

/** A text of another server, on one line and not too long. */
export function quoted(text: string): string {
  const line = text.replaceAll(/\s+/g, " ");
  return line.length <= MAX_QUOTED ? line : `${line.slice(0, MAX_QUOTED - 1)}…`;
}

/** A number and what is counted, such as `1 update` and `1,203 updates`. */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${count.toLocaleString("en")} ${count === 1 ? one : many}`;
}

/** A duration in words, such as `42 min`: the largest unit of which there are at least two. */
export function inWords(seconds: number): string {
  const rounded = Math.max(0, Math.round(seconds));
  if (rounded < 120) return `${rounded} s`;
  const minutes = Math.round(rounded / 60);
  if (minutes < 120) return `${minutes} min`;
  const hours = Math.round(minutes / 60);
  return hours < 48 ? `${hours} h` : `${Math.round(hours / 24).toLocaleString("en")} d`;
}
