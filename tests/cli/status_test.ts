import assert from "node:assert/strict";
import { configureSync, type LogRecord, resetSync } from "@logtape/logtape";
import { logStatusRegularly } from "../../lib/cli/watch/status.ts";
import { Fleet } from "../fixture.ts";
import { letter } from "./dead_letters/server.ts";

const HOUR = 60 * 60 * 1000;

/** What the commands log until it is disposed of. */
function logged(): Disposable & { readonly records: LogRecord[] } {
  const records: LogRecord[] = [];
  configureSync({
    sinks: { records: (record) => void records.push(record) },
    loggers: [
      { category: ["feedsync", "cli"], sinks: ["records"] },
      { category: ["logtape", "meta"], sinks: [] },
    ],
  });
  return { records, [Symbol.dispose]: resetSync };
}

Deno.test("the requests since the start are told every hour, until the end", async () => {
  using log = logged();
  await using fleet = new Fleet();
  const server = fleet.server("web-1");
  const status = logStatusRegularly(server, fleet.time.clock);
  await fleet.publish(server, "1");
  await fleet.time.pass(HOUR);
  await fleet.publish(server, "2");
  await fleet.time.pass(HOUR);
  status[Symbol.dispose]();
  await fleet.time.pass(HOUR);
  assert.deepEqual(log.records.map(({ properties }) => properties.put), [1, 2]);
});

Deno.test("dead letters are warned of every hour, as long as there are some", async () => {
  using log = logged();
  await using fleet = new Fleet();
  const server = fleet.server("web-1");
  const { deadLetters } = server.parts!.state;
  using _status = logStatusRegularly(server, fleet.time.clock);
  await fleet.time.pass(HOUR);
  for (const seq of [1, 2]) deadLetters.add(letter(seq));
  await fleet.time.pass(HOUR);
  deadLetters.drop(1);
  await fleet.time.pass(HOUR);
  const counts = log.records.filter(({ level }) => level === "info")
    .map(({ properties }) => properties.deadLetters);
  assert.deepEqual(counts, [0, 2, 1]);
  const warnings = log.records.filter(({ level }) => level === "warning")
    .map(({ message }) => message.join(""));
  assert.deepEqual(warnings, [
    "2 dead letters wait, see `feedsync dead-letters list`",
    "1 dead letter waits, see `feedsync dead-letters list`",
  ]);
});
