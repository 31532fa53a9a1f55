import assert from "node:assert/strict";
import { Consumers } from "../../lib/consumers/consumers.ts";
import { status } from "../../lib/status.ts";
import { watch } from "../../lib/watch.ts";
import { Fleet, survivingState } from "../fixture.ts";

Deno.test("the status of the fleet tells how far the consumers of each server are behind", async () => {
  await using fleet = new Fleet();
  const web1 = fleet.server("web-1");
  const web2 = fleet.server("web-2", { state: survivingState("web-2", fleet), presence: "1m" });
  const consumers = new Consumers(web2);
  const watcher = watch(web2, () => {});
  consumers.put("reader", { from: "now" });
  consumers.put("archive", { from: "now" });
  await fleet.publish(web1, "a", "b");
  await fleet.time.pass(120_000);
  const lines = await fleet.time.run(consumers.read("reader"));
  consumers.ack("reader", lines[1].cursor);
  const lastRead = new Date(fleet.time.clock.now()).toISOString();
  await fleet.time.pass(90_000);
  const { consumers: [archive, reader, ...others] } = await fleet.time.run(status(web1));
  assert.deepEqual(others, []);
  const { behindSeconds, ...rest } = archive;
  assert.deepEqual(rest, { server: "web-2", name: "archive", behindUpdates: 2, lastRead: null });
  assert.ok(behindSeconds > 90 && behindSeconds < 300, String(behindSeconds));
  assert.deepEqual(reader, {
    ...{ server: "web-2", name: "reader", behindUpdates: 0, behindSeconds: 0, lastRead },
  });
  await fleet.time.run(consumers.close());
  await fleet.time.run(watcher.close());
});
