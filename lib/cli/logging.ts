/**
 * Logging of the command line. The library logs through LogTape and never configures it: that is
 * the program's right.
 *
 * @module
 */
import {
  configureSync,
  getJsonLinesFormatter,
  getTextFormatter,
  type LogRecord,
  type TextFormatter,
} from "@logtape/logtape";
import type { LogLevel } from "../config/core.ts";
import { printable } from "../base/printable.ts";

/** How to log. */
export interface LoggingOptions {
  /** What is less important is left out. */
  readonly level: LogLevel;
  /** NDJSON instead of text. */
  readonly json: boolean;
  /** Colours in text. @default on a terminal, unless `NO_COLOR` is set */
  readonly color?: boolean;
}

const LEVELS = { debug: "debug", info: "info", warn: "warning", error: "error" } as const;
const COLORS: Readonly<Record<string, string>> = { warning: "\x1b[33m", error: "\x1b[31m" };
const RESET = "\x1b[0m";

/** Sends what feedsync logs to standard error, one line a record. */
export function configureLogging(
  { level, json, color = Deno.stderr.isTerminal() && !Deno.noColor }: LoggingOptions,
): void {
  const format = json ? formatJson : textFormat(color);
  configureSync({
    reset: true,
    sinks: { stderr: (record) => writeToStderr(format(record)) },
    loggers: [
      { category: ["feedsync"], lowestLevel: LEVELS[level], sinks: ["stderr"] },
      { category: ["logtape", "meta"], lowestLevel: "warning", sinks: ["stderr"] },
    ],
  });
}

/** `12:00:01 warn  text`; what plugins say begins with their names. */
export function textFormat(color: boolean): TextFormatter {
  return getTextFormatter({
    timestamp: (time) => new Date(time).toTimeString().slice(0, "hh:mm:ss".length),
    level: (level) => (level === "warning" ? "warn" : level).padEnd(5),
    value: "bare",
    sanitize: false,
    format: ({ timestamp, level, message, record }) => {
      const [, kind, plugin] = record.category;
      const text = printable(kind === "plugin" && plugin ? `${plugin}: ${message}` : message);
      const code = color ? COLORS[record.level] : undefined;
      return `${timestamp} ${code ? `${code}${level}${RESET}` : level} ${text}`;
    },
  });
}

const renderMessage = getTextFormatter({
  value: "bare",
  sanitize: false,
  format: ({ message }) => message,
});
const renderRecord = getJsonLinesFormatter();

/** `{"@timestamp","level","message","logger","properties"}`. */
export function formatJson(record: LogRecord): string {
  const line = renderRecord({ ...record, message: [renderMessage(record).slice(0, -1)] });
  return `${printable(line.slice(0, -1))}\n`;
}

function writeToStderr(line: string): void {
  let bytes = new TextEncoder().encode(line);
  try {
    while (bytes.length > 0) bytes = bytes.subarray(Deno.stderr.writeSync(bytes));
  } catch {
    // Nobody reads standard error any more: that is no reason to stop working.
  }
}
