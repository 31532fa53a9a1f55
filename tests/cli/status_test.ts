import assert from "node:assert/strict";
import { configureSync, type LogRecord, resetSync } from "@logtape/logtape";
import { tellStatusRegularly } from "../../lib/cli/status.ts";
import { Fleet } from "../fixture.ts";

const HOUR = 60 * 60 * 1000;

Deno.test("the requests since the start are told every hour, until the end", async () => {
  const records: LogRecord[] = [];
  configureSync({
    sinks: { records: (record) => void records.push(record) },
    loggers: [
      { category: ["feedsync", "cli"], sinks: ["records"] },
      { category: ["logtape", "meta"], sinks: [] },
    ],
  });
  try {
    await using fleet = new Fleet();
    const server = fleet.server("web-1");
    const status = tellStatusRegularly(server, fleet.time.clock);
    await fleet.publish(server, "1");
    await fleet.time.pass(HOUR);
    await fleet.publish(server, "2");
    await fleet.time.pass(HOUR);
    status[Symbol.dispose]();
    await fleet.time.pass(HOUR);
    assert.deepEqual(records.map(({ properties }) => properties.put), [1, 2]);
  } finally {
    resetSync();
  }
});
