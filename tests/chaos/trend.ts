/**
 * Whether what was measured grows.
 *
 * @module
 */
import type { Series } from "./samples.ts";

/** Medians of both halves may differ by this share, and by the slack of the series. */
const TOLERANCE = 0.1;

/** What became of a series. */
export interface Trend {
  readonly name: string;
  /** Its first value. */
  readonly start: number;
  /** Medians of the two halves after the warm-up. */
  readonly firstHalf: number;
  readonly secondHalf: number;
  readonly end: number;
  readonly max: number;
  /** Undefined when it cannot be told: nothing has expired yet. */
  readonly grows: boolean | undefined;
}

/** Compares both halves of what was measured after the first `warmUp` values. */
export function trendOf(
  { name, values, slack, lives }: Series,
  { warmUp, expired }: { readonly warmUp: number; readonly expired: boolean },
): Trend {
  const steady = values.slice(warmUp);
  const middle = Math.ceil(steady.length / 2);
  const [firstHalf, secondHalf] = [median(steady.slice(0, middle)), median(steady.slice(middle))];
  return {
    name,
    start: values[0],
    firstHalf,
    secondHalf,
    end: values[values.length - 1],
    max: Math.max(...values),
    grows: lives > 0 && !expired ? undefined : secondHalf > firstHalf * (1 + TOLERANCE) + slack,
  };
}

/** The trends as a table. */
export function table(trends: readonly Trend[]): string {
  const head = ["", "start", "1st half", "2nd half", "end", "max", "grows"];
  const rows = trends.map(({ name, start, firstHalf, secondHalf, end, max, grows }) => [
    name,
    ...[start, firstHalf, secondHalf, end, max].map(format),
    grows === undefined ? "not told" : grows ? "YES" : "no",
  ]);
  const lines = [head, ...rows];
  const widths = head.map((_, column) => Math.max(...lines.map((line) => line[column].length)));
  return lines.map((line) =>
    line.map((cell, column) =>
      column === 0 ? cell.padEnd(widths[0]) : cell.padStart(widths[column])
    ).join("  ")
  ).join("\n");
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
}

function format(value: number): string {
  return value.toFixed(Number.isInteger(value) ? 0 : 1);
}
