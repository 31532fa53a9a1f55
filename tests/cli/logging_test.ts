import assert from "node:assert/strict";
import type { LogRecord } from "@logtape/logtape";
import { formatJson, textFormat } from "../../lib/cli/logging.ts";
import { feedsync, workspace } from "./feedsync.ts";

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

/** Formats as text, with `<time>` in place of that time as this machine's zone has it. */
function textOf(record: LogRecord, { color = false } = {}): string {
  return textFormat(color)(record).replace(/^2025-01-01T12:00:01[+-]\d\d:\d\d /, "<time> ");
}

Deno.test("a record is one plain line: time, level, text", () => {
  assert.equal(textOf(record("info", "it")), "<time> info  Got it\n");
  assert.equal(textOf(record("warning", "it")), "<time> warn  Got it\n");
});

Deno.test("what a plugin says begins with its name", () => {
  assert.equal(
    textOf(record("error", "it", ["feedsync", "plugin", "mirror"])),
    "<time> error mirror: Got it\n",
  );
  assert.equal(
    textOf(record("error", "it", ["feedsync", "plugin"])),
    "<time> error Got it\n",
  );
});

Deno.test("colours are used only where asked for", () => {
  assert.equal(
    textOf(record("error", "it"), { color: true }),
    "<time> \x1b[31merror\x1b[0m Got it\n",
  );
  assert.equal(textOf(record("info", "it"), { color: true }), "<time> info  Got it\n");
});

Deno.test("values from outside can neither begin a line nor command the terminal", () => {
  const line = textOf(record("info", "a\nb\x1b[2Jc\x9b\u202e\u2028"));
  assert.equal(line, "<time> info  Got a\\u000ab\\u001b[2Jc\\u009b\\u202e\\u2028\n");
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

Deno.test("with --json every line on standard error is a record or the error, whatever happens", async () => {
  await using home = await workspace({
    "feedsync.json": JSON.stringify({
      server: "web-1",
      store: "file:store",
      plugins: ["./bad.ts"],
    }),
    "bad.ts": `export default {
      name: "bad",
      onUpdate(update, { logger }) {
        logger.warn("two\\nlines");
        throw new Error("no\\n\u001b[2J" + update.url);
      },
    };`,
    "broken.json": "{",
  });
  const cwd = home.path, url = "https://example.com/feed.xml";
  const runs: [string[], number][] = [
    [["publish", url], 0],
    [["watch", "--once", "--server", "web-2", "-v"], 1],
    [["watch", "--once", "--config", "broken.json"], 78],
    [["publish", "no URL", "-v"], 65],
    [["get", "https://example.com/unknown", "-v"], 65],
    [["objects", "drop", "tail/x"], 65],
    [["cleanup", "--max-age", "1h"], 0],
    [["watch", "--onec"], 64],
  ];
  for (const [args, code] of runs) {
    const outcome = await feedsync([...args, "--json"], { cwd, stdin: "<rss/>" });
    assert.equal(outcome.code, code, `${args}: ${outcome.stderr}`);
    const lines = outcome.stderr.split("\n").filter(Boolean).map((line) => JSON.parse(line));
    for (const { level, message, logger, properties, ...time } of lines) {
      assert.match(level, /^(DEBUG|INFO|WARN|ERROR)$/);
      assert.match(logger, /^(feedsync\b|logtape)/);
      assert.equal(typeof message, "string");
      assert.equal(typeof properties, "object");
      assert.deepEqual(Object.keys(time), ["@timestamp"]);
      assert.ok(!Number.isNaN(Date.parse(time["@timestamp"])));
    }
    if (code === 0) continue;
    const { logger, properties } = lines.at(-1);
    assert.equal(logger, "feedsync");
    assert.match(properties.name, /Error$/);
    assert.equal(typeof properties.details, args.includes("-v") ? "string" : "undefined");
  }
});
