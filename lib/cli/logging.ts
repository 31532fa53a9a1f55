/**
 * Configures logging for the command line. The library logs through LogTape and leaves its
 * configuration to the program.
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

/** Options of {@linkcode configureLogging}. */
export interface LoggingOptions {
  /** Minimum level of logged messages. */
  readonly level: LogLevel;
  /** Whether to log NDJSON instead of text. */
  readonly json: boolean;
  /** Whether to colour text. @default on a terminal, unless `NO_COLOR` is set */
  readonly color?: boolean;
}

const LEVELS = { debug: "debug", info: "info", warn: "warning", error: "error" } as const;
const COLORS: Readonly<Record<string, string>> = { warning: "\x1b[33m", error: "\x1b[31m" };
const RESET = "\x1b[0m";

/** Writes the log of feedsync to standard error, one line per record. */
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

/** Formats records as `2026-01-31T12:00:01+01:00 warn  text`; texts of plugins begin with the name of the plugin. */
export function textFormat(color: boolean): TextFormatter {
  return getTextFormatter({
    timestamp: localTime,
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

/** A time of this machine as ISO 8601 has it, with its zone. */
function localTime(time: number): string {
  return Temporal.Instant.fromEpochMilliseconds(time).toZonedDateTimeISO(Temporal.Now.timeZoneId())
    .toString({ smallestUnit: "second", timeZoneName: "never" });
}

const renderMessage = getTextFormatter({
  value: "bare",
  sanitize: false,
  format: ({ message }) => message,
});
const renderRecord = getJsonLinesFormatter();

/** Formats a record as JSON: `{"@timestamp","level","message","logger","properties"}`. */
export function formatJson(record: LogRecord): string {
  const line = renderRecord({ ...record, message: [renderMessage(record).slice(0, -1)] });
  return `${printable(line.slice(0, -1))}\n`;
}

function writeToStderr(line: string): void {
  let bytes = new TextEncoder().encode(line);
  try {
    while (bytes.length > 0) bytes = bytes.subarray(Deno.stderr.writeSync(bytes));
  } catch {
    // Standard error is closed, but the command can continue.
  }
}
