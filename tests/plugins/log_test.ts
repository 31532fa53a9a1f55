import assert from "node:assert/strict";
import type { Gap, Update } from "../../lib/update.ts";
import log from "../../plugins/log.ts";
import { makeRemoval, makeUpdate, start } from "./harness.ts";

interface Input {
  options?: { format: "text" | "json" };
  updates?: Update[];
  gaps?: Gap[];
}

const PRINTER = import.meta.resolve("./log_printer.ts");

function spawnPrinter(): Deno.ChildProcess {
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "--allow-all", "--quiet", PRINTER],
    env: { TZ: "Europe/Berlin" },
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}

async function send(printer: Deno.ChildProcess, input: Input): Promise<void> {
  await new Blob([JSON.stringify(input)]).stream().pipeTo(printer.stdin);
}

/** What the plugin printed, line by line. */
async function printed(input: Input): Promise<string[]> {
  const printer = spawnPrinter();
  const [output] = await Promise.all([printer.output(), send(printer, input)]);
  assert.equal(output.code, 0, new TextDecoder().decode(output.stderr));
  const lines = new TextDecoder().decode(output.stdout).split("\n");
  assert.equal(lines.pop(), "", "the last line ends with a newline");
  return lines;
}

Deno.test("log prints one line an update: local time, server, URL and size", async () => {
  const lines = await printed({
    updates: [
      makeUpdate(),
      makeUpdate({ content: "é".repeat(600), server: "web-3" }),
      makeUpdate({ content: "x".repeat(999_960) }),
      makeUpdate({ content: { title: "News" } }),
      makeUpdate({ superseded: true }),
      makeUpdate({ restored: true }),
      makeRemoval(),
    ],
  });
  assert.deepEqual(lines, [
    "04:04:05  web-1  https://example.com/feed.xml  6 B",
    "04:04:05  web-3  https://example.com/feed.xml  1.2 kB",
    "04:04:05  web-1  https://example.com/feed.xml  1.0 MB",
    "04:04:05  web-1  https://example.com/feed.xml  22 B",
    "04:04:05  web-1  https://example.com/feed.xml  6 B  superseded",
    "04:04:05  web-1  https://example.com/feed.xml  6 B  restored",
    "04:04:05  web-1  https://example.com/feed.xml  removed",
  ]);
});

Deno.test("log prints a gap as a line", async () => {
  const gaps = [{ stream: "web-1_abcdefgh", first: 5, last: 9 }];
  assert.deepEqual(await printed({ gaps }), [
    "Gap: updates 5 to 9 of web-1_abcdefgh were lost before they were seen here",
  ]);
  assert.deepEqual(await printed({ options: { format: "json" }, gaps }), [
    '{"gap":{"stream":"web-1_abcdefgh","first":5,"last":9}}',
  ]);
});

Deno.test("log makes escapes, newlines and right-to-left marks in URLs harmless", async () => {
  const url = "https://x/\x1b]0;owned\x07\n\r\t\u009b31m\u202e\u2028\u{e0001}\x7fend";
  assert.deepEqual(await printed({ updates: [makeUpdate({ url })] }), [
    "04:04:05  web-1  https://x/\\u001b]0;owned\\u0007\\u000a\\u000d\\u0009\\u009b31m\\u202e\\u2028" +
    "\\udb40\\udc01\\u007fend  6 B",
  ]);
});

Deno.test("log prints NDJSON that is free of control characters and reads back unchanged", async () => {
  const update = makeUpdate({
    url: "https://x/\u009b31m\u202e",
    content: { title: 'a\n"\x1b[2J\u{e0001}👩\u200d🚀\\u001b' },
    metadata: { status: "success" },
  });
  const [line, ...rest] = await printed({ options: { format: "json" }, updates: [update] });
  assert.deepEqual(rest, []);
  assert.doesNotMatch(line, /[\p{Cc}\p{Cf}]/u);
  assert.deepEqual(JSON.parse(line), update);
});

Deno.test("log writes lines whole when many large updates arrive at once", async () => {
  const updates = Array.from(
    { length: 60 },
    (_, i) => makeUpdate({ seq: i + 1, content: String(i % 10).repeat(100_000) }),
  );
  const lines = await printed({ options: { format: "json" }, updates });
  assert.deepEqual(lines.map((line) => JSON.parse(line)), updates);
});

Deno.test("log fails when nobody reads its output, so that no update counts as printed", async () => {
  const printer = spawnPrinter();
  await printer.stdout.cancel();
  await send(printer, { updates: [makeUpdate()] });
  const errors = await new Response(printer.stderr).text();
  assert.equal((await printer.status).success, false);
  assert.match(errors, /Broken pipe/);
});

Deno.test("log refuses unknown options", async () => {
  await assert.rejects(start(log, { format: "xml" }), /"format"/);
  await assert.rejects(start(log, { fromat: "json" }), /fromat/);
});
