import assert from "node:assert/strict";
import { dollars, requestsIn } from "../../../lib/cli/cost/model.ts";
import { PRICES } from "../../../lib/cli/cost/prices.ts";
import { publish } from "../../../lib/publish.ts";
import { watch } from "../../../lib/watch.ts";
import { Fleet } from "../../fixture.ts";

const MINUTE = 60_000, HOUR = 60 * MINUTE, DAY = 24 * HOUR;

for (
  const { way, poll, marker, feeds } of [
    { way: "", poll: 5 * MINUTE, marker: false, feeds: 1 },
    { way: ", with the marker", poll: 2 * MINUTE, marker: true, feeds: 1 },
    {
      way: ", when each update is of another feed",
      poll: 5 * MINUTE,
      marker: false,
      feeds: 10_000,
    },
  ]
) {
  Deno.test(`the model counts what three servers request in a day${way}`, async () => {
    await using fleet = new Fleet();
    const updatesPerHour = 6, retention = 6 * HOUR;
    const servers = ["web-1", "web-2", "web-3"].map((name) =>
      fleet.server(name, { poll, wake: { marker }, retention })
    );
    const watchers = servers.map((server) => watch(server, () => {}));
    await Promise.all(watchers.map(({ ready }) => ready));
    let before = { ...fleet.store.requests };
    const warmUp = 12 * updatesPerHour;
    for (let update = 0; update < warmUp + 24 * updatesPerHour; update++) {
      if (update === warmUp) before = { ...fleet.store.requests }; // As much expires as comes.
      const server = servers[update % servers.length],
        url = `https://example.com/${update % feeds}`;
      await fleet.time.run(publish(server, { url, content: update }));
      await fleet.time.pass(HOUR / updatesPerHour);
    }
    for (const watcher of watchers) await fleet.time.run(watcher.close());
    const presence = 5 * MINUTE;
    const fleetOf3 = {
      ...{ servers: 3, updatesPerHour, poll, marker, retention, feeds, presence },
      peers: false,
    };
    const model = requestsIn(24, fleetOf3);
    for (const kind of ["put", "get", "list"] as const) {
      const counted = fleet.store.requests[kind] - before[kind];
      const error = model[kind] / counted - 1;
      assert.ok(Math.abs(error) < 0.1, `${kind}: ${counted} counted, ${model[kind]} by the model`);
    }
  });
}

Deno.test("peers make reading free, and rare polls listings cheap", () => {
  const fleet = {
    servers: 100,
    updatesPerHour: 1000,
    poll: 10_000,
    peers: false,
    retention: DAY,
  };
  const [polling, peers] = [fleet, { ...fleet, peers: true, poll: 5 * MINUTE }]
    .map((way) => requestsIn(730, way));
  assert.ok(peers.get < polling.get / 1000, "cleaning up reads what expires");
  assert.equal(peers.put, polling.put);
  assert.ok(peers.list < polling.list / 20);
});

Deno.test("what is free is free, and where writes and listings share it, once", () => {
  const requests = { put: 600_000, get: 10_000_000, list: 600_000 };
  assert.equal(dollars(requests, PRICES.aws), 3 + 4 + 3);
  assert.equal(dollars(requests, PRICES.r2).toFixed(4), (0.2 * 4.5).toFixed(4));
  assert.equal(dollars(requests, PRICES.linode), 0);
});
