import assert from "node:assert/strict";
import { BackendUnavailableError } from "../../lib/errors.ts";
import type { Arrival } from "../../lib/state/arrivals.ts";
import { publish } from "../../lib/publish.ts";
import { watch } from "../../lib/watch.ts";
import { Fleet, survivingState, urlOf } from "../fixture.ts";
import { expire } from "./expired.ts";

/** A server, and what is told to arrive at it. */
function listeningServer(fleet: Fleet) {
  const server = fleet.server("web-2", { state: survivingState("web-2", fleet) });
  const arrived: Arrival[] = [];
  server.parts!.state.arrivals.listen((arrivals) => arrived.push(...arrivals));
  const told = () =>
    arrived.splice(0).map(({ url, stream, removed, isRestored }) => [
      ...[url, stream.split("_")[0], removed ?? false, isRestored ?? false],
    ]);
  return { server, told };
}

Deno.test("updates arrive from the log, and restored ones from what is kept", async () => {
  await using fleet = new Fleet();
  const web1 = fleet.server("web-1");
  await fleet.time.run(publish(web1, { url: urlOf("kept"), content: "a" }));
  await expire(fleet);
  await fleet.time.run(publish(web1, [
    { url: urlOf("new"), content: "a" },
    { url: urlOf("gone"), removed: true },
  ]));
  const { server, told } = listeningServer(fleet);
  await using received = fleet.watch(server);
  await fleet.time.run(received.watcher.poll());
  assert.deepEqual(told().sort(), [
    [urlOf("gone"), "web-1", true, false],
    [urlOf("kept"), "web-1", false, true],
    [urlOf("new"), "web-1", false, false],
  ]);
  await fleet.time.run(received.watcher.poll());
  assert.deepEqual(told(), []);
});

Deno.test("what is read again since a plugin's backend was away arrives once", async () => {
  await using fleet = new Fleet();
  const { server, told } = listeningServer(fleet);
  await fleet.publish(fleet.server("web-1"), "a");
  let isAway = true;
  await using watcher = watch(server, () => {
    if (isAway) throw new BackendUnavailableError("Away");
  }, { manual: true, outagePatience: 50 });
  await assert.rejects(fleet.time.run(watcher.poll()), BackendUnavailableError);
  isAway = false;
  await fleet.time.run(watcher.poll());
  assert.equal(told().length, 1);
});
