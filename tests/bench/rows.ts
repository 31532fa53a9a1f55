/**
 * What a benchmark finds, judged and shown.
 *
 * @module
 */

/** A value, what it is measured against, and whether it is good enough. */
export interface Row {
  /** What was measured. */
  readonly name: string;
  /** The value, in `unit`. */
  readonly value: number;
  /** Such as `ms`. */
  readonly unit: string;
  /** What the bare store, or an empty program, does, in the same unit; null where there is none. */
  readonly limit: number | null;
  /** `value / limit`. */
  readonly ratio: number | null;
  /** What is demanded: `≤ 1.2 ×` of the ratio, `≥ 5,000` of the value; null when nothing is. */
  readonly mustReach: string | null;
  /** Whether that is so. */
  readonly holds: boolean | null;
}

/** A value before it is judged. */
export interface Measurement {
  /** What was measured. */
  readonly name: string;
  /** The value. */
  readonly value: number;
  /** Its unit. */
  readonly unit: string;
  /** What it is measured against. */
  readonly limit?: number;
}

/** A row of which nothing is demanded. */
export function told({ name, value, unit, limit }: Measurement): Row {
  const ratio = limit === undefined ? null : value / limit;
  return { name, value, unit, limit: limit ?? null, ratio, mustReach: null, holds: null };
}

/** A row whose value must not exceed `most`. */
export function atMost(most: number, measurement: Measurement): Row {
  const holds = measurement.value <= most;
  return { ...told(measurement), mustReach: `≤ ${format(most)}`, holds };
}

/** A row whose value must not fall short of `least`. */
export function atLeast(least: number, measurement: Measurement): Row {
  const holds = measurement.value >= least;
  return { ...told(measurement), mustReach: `≥ ${format(least)}`, holds };
}

/** A row whose value must not exceed `most` times the limit. */
export function atMostTimes(most: number, measurement: Measurement & { limit: number }): Row {
  const holds = measurement.value <= most * measurement.limit;
  return { ...told(measurement), mustReach: `≤ ${format(most)} ×`, holds };
}

/** A row whose value must not fall short of `least` times the limit. */
export function atLeastTimes(least: number, measurement: Measurement & { limit: number }): Row {
  const holds = measurement.value >= least * measurement.limit;
  return { ...told(measurement), mustReach: `≥ ${format(least)} ×`, holds };
}

/** The rows as a table. */
export function table(rows: readonly Row[]): string {
  const head = ["", "value", "limit", "ratio", "must reach", "holds"];
  return align([head, ...rows.map(cells)]);
}

/** Lines of cells, those of some columns to the left, all else to the right. */
export function align(
  lines: readonly (readonly string[])[],
  toTheLeft: readonly number[] = [0],
): string {
  const widths = lines[0].map((_, column) => Math.max(...lines.map((line) => line[column].length)));
  const pad = (cell: string, column: number) =>
    toTheLeft.includes(column) ? cell.padEnd(widths[column]) : cell.padStart(widths[column]);
  return lines.map((line) => line.map(pad).join("  ").trimEnd()).join("\n");
}

function cells({ name, value, unit, limit, ratio, mustReach, holds }: Row): string[] {
  return [
    name,
    `${format(value)} ${unit}`,
    limit === null ? "" : `${format(limit)} ${unit}`,
    ratio === null ? "" : `${ratio.toFixed(2)} ×`,
    mustReach ?? "",
    holds === null ? "" : holds ? "yes" : "NO",
  ];
}

/** Three digits, or all before the point where there are more. */
export function format(value: number): string {
  return value.toLocaleString("en", {
    maximumSignificantDigits: 3,
    maximumFractionDigits: 0,
    roundingPriority: "morePrecision",
  });
}
