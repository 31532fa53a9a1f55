/**
 * Shows the demo: as lanes on a terminal, else as plain lines or JSON.
 *
 * @module
 */
import type { Arguments } from "../command.ts";
import { printable } from "../../base/printable.ts";
import { print, printJson } from "../output.ts";
import { renderLine } from "../status/lines.ts";
import { overview } from "../status/overview.ts";
import {
  type DemoEvent,
  duration,
  elapsed,
  type ServerEvent,
  type Show,
  type TimelineEvent,
} from "./events.ts";
import { Lanes } from "./lanes.ts";
import type { LogLine } from "./output_lines.ts";
import { resultTable } from "./result_table.ts";
import { type Paint, paintFor, uncolored } from "./style.ts";

/** The output of the demo. */
export interface View {
  /** Shows an event. */
  readonly show: Show;
  /** Shows a line that a server logs. */
  readonly onLog: (server: string, line: LogLine) => void;
  /** Shows why nothing happens yet. */
  readonly notice: (text: string) => void;
  /** Milliseconds between two events. */
  readonly pace: number;
}

/** Delay between events with which people can follow. */
const PACE_MS = 350;

/** Minimum number of columns for lanes; narrower terminals get plain lines. */
const MIN_LANES_COLUMNS = 72;

/** Selects the view for standard output and the flags. */
export function viewFor(args: Arguments): View {
  const json = args.has("json");
  const terminal = Deno.stdout.isTerminal() && !json;
  const show = json ? printJson : terminal ? terminalView() : plainView;
  return {
    show: args.has("quiet") ? onlyResult(show) : show,
    onLog: logPrinter({ json, verbose: args.has("verbose") }),
    notice: json || args.has("quiet") ? () => {} : (text) => console.error(text),
    pace: terminal && !args.has("quiet") ? PACE_MS : 0,
  };
}

const plainView: Show = async (event) => {
  const text = endOf(event, uncolored, Infinity) ?? plainLine(event as TimelineEvent);
  for (const line of text.split("\n")) await print(line);
};

/** Renders what comes at the end; undefined for other events. */
function endOf(event: DemoEvent, paint: Paint, columns: number): string | undefined {
  if (event.event === "result") return resultTable(event, paint);
  if (event.event !== "status") return undefined;
  const lines = overview(event, columns).map((line) => renderLine(line, paint));
  return ["", paint("bold", "feedsync status"), ...lines].join("\n");
}

function terminalView(): Show {
  const paint = paintFor(Deno.stdout);
  const lanes = new Lanes(paint);
  const render = (event: TimelineEvent, columns: number) =>
    columns < MIN_LANES_COLUMNS ? plainLine(event) : lanes.render(event, columns);
  return (event) => {
    const { columns } = Deno.consoleSize();
    console.log(endOf(event, paint, columns) ?? render(event as TimelineEvent, columns));
    return Promise.resolve();
  };
}

function onlyResult(show: Show): Show {
  return async (event) => {
    if (event.event === "result") await show(event);
  };
}

function logPrinter({ json, verbose }: { json: boolean; verbose: boolean }): View["onLog"] {
  return (server, { level, message, line }) => {
    if (!verbose && (level === "INFO" || level === "DEBUG")) return;
    console.error(printable(json ? line : `${server}: ${message}`));
  };
}

/** Renders an event as text, without a newline at the end. */
function plainLine(event: TimelineEvent): string {
  if (event.event === "act") return `\n${event.text}`;
  return `${elapsed()} ${event.server} ${sentence(event)}`;
}

function sentence(event: ServerEvent): string {
  switch (event.event) {
    case "watching":
      return "watches";
    case "killed":
      return "is killed";
    case "saved":
      return `gets a file: "${event.headline}" (${event.format}, ${event.url})`;
    case "applied":
      return `applied update ${event.seq}: "${event.headline}", ${
        duration(event.ms)
      } after it was saved`;
  }
}
