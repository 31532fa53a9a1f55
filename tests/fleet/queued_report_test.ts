import assert from "node:assert/strict";
import { StoreUnavailableError } from "../../lib/errors.ts";
import { reportOf } from "../../lib/fleet/report.ts";
import { Fleet } from "../fixture.ts";
import { failing } from "../memory_store.ts";

Deno.test("a server tells how long its oldest update waits for the upload, and how often it polls", async () => {
  await using fleet = new Fleet();
  const server = fleet.server("web-1", { publishTimeout: "1s" });
  const told = async () => {
    const { queued, queuedSeconds, pollSeconds } = await reportOf(server.parts!, {
      startedAt: fleet.time.clock.now(),
      retentionMs: false,
      pollMs: 30_000,
      includeOwn: false,
    });
    return [queued, queuedSeconds, pollSeconds];
  };
  await fleet.publish(server, "a");
  assert.deepEqual(await told(), [0, undefined, 30]);
  const mend = fleet.store.before("put", failing(new StoreUnavailableError("down")));
  await assert.rejects(fleet.publish(server, "b"), /queued/);
  await fleet.time.pass(60_000);
  await assert.rejects(fleet.publish(server, "c"), /queued/);
  const [queued, seconds] = await told();
  assert.equal(queued, 2);
  assert.ok(Number(seconds) >= 60 && Number(seconds) < 70, `${seconds} s`);
  mend();
  await fleet.time.pass(120_000);
  await fleet.publish(server, "d");
  assert.deepEqual(await told(), [0, undefined, 30]);
});
