import assert from "node:assert/strict";
import type { LogRecord } from "@logtape/logtape";
import { formatJson, textFormat } from "../../lib/cli/logging.ts";

function record(
  level: LogRecord["level"],
  text: string,
  category: string[] = ["feedsync", "cli"],
): LogRecord {
  return {
    category,
    level,
    message: ["Got ", text, ""],
    rawMessage: "Got {text}",
    timestamp: new Date(2025, 0, 1, 12, 0, 1).getTime(),
    properties: { text },
  };
}

Deno.test("a record is one plain line: time, level, text", () => {
  const format = textFormat(false);
  assert.equal(format(record("info", "it")), "12:00:01 info  Got it\n");
  assert.equal(format(record("warning", "it")), "12:00:01 warn  Got it\n");
});

Deno.test("what a plugin says begins with its name", () => {
  const format = textFormat(false);
  assert.equal(
    format(record("error", "it", ["feedsync", "plugin", "mirror"])),
    "12:00:01 error mirror: Got it\n",
  );
  assert.equal(
    format(record("error", "it", ["feedsync", "plugin"])),
    "12:00:01 error Got it\n",
  );
});

Deno.test("colours are used only where asked for", () => {
  assert.equal(textFormat(true)(record("error", "it")), "12:00:01 \x1b[31merror\x1b[0m Got it\n");
  assert.equal(textFormat(true)(record("info", "it")), "12:00:01 info  Got it\n");
});

Deno.test("values from outside can neither begin a line nor command the terminal", () => {
  const line = textFormat(false)(record("info", "a\nb\x1b[2Jc\x9b\u202e\u2028"));
  assert.equal(line, "12:00:01 info  Got a\\u000ab\\u001b[2Jc\\u009b\\u202e\\u2028\n");
});

Deno.test("with JSON, too", () => {
  const given = "\x9b31m\u202e\u2028\u{e0001}";
  const line = formatJson(record("info", given));
  assert.match(line, /^[ -~]+\n$/);
  assert.equal(JSON.parse(line).properties.text, given);
});

Deno.test("with JSON a record is one line with the message as text and its properties", () => {
  const line = formatJson(record("warning", 'a "b"\n'));
  assert.equal(line.indexOf("\n"), line.length - 1);
  const { message, level, logger, properties } = JSON.parse(line);
  assert.deepEqual({ message, level, logger, properties }, {
    message: 'Got a "b"\n',
    level: "WARN",
    logger: "feedsync.cli",
    properties: { text: 'a "b"\n' },
  });
});
