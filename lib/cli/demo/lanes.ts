/**
 * Renders events in one lane per server.
 *
 * @module
 */
import { duration, elapsed, type ServerEvent, type TimelineEvent } from "./events.ts";
import type { Paint, Style } from "./style.ts";

const SERVERS: readonly (readonly [name: string, style: Style])[] = [
  ["web-1", "cyan"],
  ["web-2", "yellow"],
  ["web-3", "magenta"],
];

/** Width of the time before the first lane, in columns. */
const TIME_WIDTH = 9;

/** Maximum width of a lane, in columns. */
const MAX_WIDTH = 36;

/** Renders events as text, each in the lane of its server; a lane ends while its server is down. */
export class Lanes {
  readonly #paint: Paint;
  readonly #running = new Set<string>();

  /** Creates the lanes, without a running server. */
  constructor(paint: Paint) {
    this.#paint = paint;
  }

  /** Renders an event for a terminal with `columns` columns, without a newline at the end. */
  render(event: TimelineEvent, columns: number): string {
    const width = Math.min(MAX_WIDTH, Math.floor((columns - TIME_WIDTH) / SERVERS.length));
    if (event.event === "act") {
      return `${this.#row(width)}\n${this.#paint("bold", event.text)}\n${this.#row(width)}`;
    }
    if (event.event === "watching") this.#running.add(event.server);
    if (event.event === "killed") this.#running.delete(event.server);
    return this.#row(width, event);
  }

  #row(width: number, event?: ServerEvent): string {
    const time = event ? `${elapsed()}  ` : "";
    const lanes = SERVERS.map(([name, style]) => {
      if (event?.server === name) return this.#cell(event, style, width);
      return this.#paint(style, (this.#running.has(name) ? "│" : " ").padEnd(width));
    });
    return this.#paint("dim", time.padStart(TIME_WIDTH)) + lanes.join("");
  }

  #cell(event: ServerEvent, style: Style, width: number): string {
    switch (event.event) {
      case "watching":
        return this.#paint(style, `● ${event.server}`.padEnd(width));
      case "killed":
        return this.#paint("red", "✗ killed".padEnd(width));
      case "saved":
        return this.#paint(style, "◆ ") +
          fit(event.headline, width - "◆  ".length).padEnd(width - 2);
      case "applied": {
        const time = duration(event.ms);
        const headline = fit(event.headline, width - "✓   ".length - time.length);
        const rest = width - "✓  ".length - headline.length;
        return `${this.#paint("green", "✓")} ${headline} ${this.#paint("dim", time.padEnd(rest))}`;
      }
    }
  }
}

/** The text, cut to `width` columns. */
function fit(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, Math.max(0, width - 1))}…`;
}
