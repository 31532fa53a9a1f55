/**
 * Numbers in the text format of Prometheus, version 0.0.4
 * (https://prometheus.io/docs/instrumenting/exposition_formats/). The package `prom-client` cannot be
 * used: `deno compile` overflows its stack on a package that it depends on.
 *
 * @module
 */

/** Labels of a number. Their values must come from a bounded set. */
export type Labels = Readonly<Record<string, string | number>>;

/** What a number is called, and what it means. */
export interface MetricName {
  /** The name. */
  readonly name: string;
  /** What it means. */
  readonly help: string;
}

/** A group of numbers. */
export interface Metric extends MetricName {
  /** What kind of numbers. */
  readonly type: "counter" | "gauge" | "histogram";
  /** The numbers as they are now: what is behind the name, labels, value. */
  samples(): Iterable<readonly [suffix: string, labels: Labels, value: number]>;
}

/** The media type of the format. */
export const EXPOSITION_TYPE = "text/plain; version=0.0.4; charset=utf-8";

/** The numbers as text. */
export function exposition(metrics: readonly Metric[]): string {
  return metrics.map((metric) => {
    const { name, help, type } = metric;
    const lines = Array.from(
      metric.samples(),
      ([suffix, labels, value]) => `${name}${suffix}${labelText(labels)} ${value}\n`,
    );
    return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${lines.join("")}`;
  }).join("");
}

function labelText(labels: Labels): string {
  const pairs = Object.entries(labels).map(([name, value]) =>
    `${name}="${escaped(String(value))}"`
  );
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}

function escaped(text: string): string {
  return text.replace(/["\\\n]/g, (character) => character === "\n" ? "\\n" : `\\${character}`);
}

/** Counts up. */
export class Counter implements Metric {
  /** What kind of numbers. */
  readonly type = "counter";
  /** The name. */
  readonly name: string;
  /** What it means. */
  readonly help: string;
  readonly #counts = new Map<string, { readonly labels: Labels; count: number }>();

  /** Nothing is counted yet. */
  constructor({ name, help }: MetricName) {
    this.name = name;
    this.help = help;
  }

  /** Counts. */
  add(labels: Labels, count = 1): void {
    const key = JSON.stringify(labels), known = this.#counts.get(key);
    if (known) known.count += count;
    else this.#counts.set(key, { labels, count });
  }

  *samples(): Iterable<readonly [string, Labels, number]> {
    for (const { labels, count } of this.#counts.values()) yield ["", labels, count];
  }
}

interface Observed {
  readonly labels: Labels;
  readonly counts: number[];
  sum: number;
}

/** How often values were at most so large. */
export class Histogram implements Metric {
  /** What kind of numbers. */
  readonly type = "histogram";
  /** The name. */
  readonly name: string;
  /** What it means. */
  readonly help: string;
  readonly #bounds: readonly number[];
  readonly #observed = new Map<string, Observed>();

  /** Nothing is observed yet; `bounds` ascend. */
  constructor({ name, help, bounds }: MetricName & { readonly bounds: readonly number[] }) {
    this.name = name;
    this.help = help;
    this.#bounds = [...bounds, Infinity];
  }

  /** Notes a value. */
  observe(labels: Labels, value: number): void {
    const key = JSON.stringify(labels);
    const observed = this.#observed.get(key) ??
      { labels, counts: this.#bounds.map(() => 0), sum: 0 };
    this.#observed.set(key, observed);
    observed.counts[this.#bounds.findIndex((bound) => value <= bound)]++;
    observed.sum += value;
  }

  *samples(): Iterable<readonly [string, Labels, number]> {
    for (const { labels, counts, sum } of this.#observed.values()) {
      let count = 0;
      for (const [index, bound] of this.#bounds.entries()) {
        const le = bound === Infinity ? "+Inf" : String(bound);
        yield ["_bucket", { ...labels, le }, count += counts[index]];
      }
      yield ["_sum", labels, sum];
      yield ["_count", labels, count];
    }
  }
}
