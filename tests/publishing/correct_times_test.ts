import assert from "node:assert/strict";
import { publish, type PublishedReceipt } from "../../lib/publish.ts";
import { Fleet, survivingState, texts, urlOf } from "../fixture.ts";

const DAY = 24 * 60 * 60 * 1000, YEAR = 365 * DAY;

/** Has the clock of the servers be so many milliseconds ahead, from the next answer of the store on known. */
function setClock(fleet: Fleet, ms: number): void {
  fleet.time.setBack(-ms);
  fleet.store.clockOffset -= ms;
}

/** What was published after the first update, by a server that came back with its clock so far ahead. */
async function publishedWith(ms: number) {
  await using fleet = new Fleet();
  const state = survivingState("web-1", fleet);
  const first = fleet.server("web-1", { state });
  await fleet.publish(first, "first");
  await fleet.time.run(first.close());
  const now = fleet.time.clock.now();
  setClock(fleet, ms);
  const second = fleet.server("web-1", { state });
  const contents = texts("a", 3);
  const inputs = contents.map((content) => ({ url: urlOf("feed"), content }));
  const receipts = await fleet.time.run(publish(second, inputs)) as PublishedReceipt[];
  const known = state.newest.get(urlOf("feed"));
  const updates = fleet.keys("tail/").flatMap((key) => fleet.read(key)).slice(1);
  assert.deepEqual(receipts.map(({ time }) => time), updates.map(({ time }) => time));
  return { known, now, updates, times: updates.map(({ time }) => Date.parse(time)) };
}

Deno.test("a time that is years ahead is corrected before the update is first sent", async () => {
  const { now, times, known, updates } = await publishedWith(YEAR);
  assert.ok(times.every((time) => Math.abs(time - now) < 60_000), `${times.map((t) => t - now)}`);
  assert.ok(times[0] < times[1] && times[1] < times[2], "in their order");
  assert.deepEqual([known?.id, known?.time], [updates[2].id, times[2]]);
});

Deno.test("a time that is less than a day ahead is left as it was accepted", async () => {
  const { now, times } = await publishedWith(DAY / 2);
  assert.ok(times[0] - now >= DAY / 2 - 1000, `${times[0] - now}`);
});
