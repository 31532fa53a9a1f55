import assert from "node:assert/strict";
import { watch } from "../../../lib/watch.ts";
import { survivingState } from "../../fixture.ts";
import { Applications, feedsOf, HOUR, MINUTE } from "./servers.ts";

const EVERY = 15 * MINUTE;

/** Runs a process on each server every 15 minutes, as cron does; they take their time. */
async function runByCron(
  apps: Applications,
  urls: readonly string[],
  { servers, hours, everyMs = EVERY, isWatched = false }: {
    readonly servers: number;
    readonly hours: number;
    readonly everyMs?: number;
    readonly isWatched?: boolean;
  },
): Promise<void> {
  const states = Array.from({ length: servers }, (_, i) => survivingState(`web-${i}`, apps.fleet));
  for (const [index, state] of isWatched ? states.entries() : []) {
    await apps.fleet.time.run(
      watch(apps.connect(`web-${index}`, { state, poll: "1h" }), () => {}).ready,
    );
  }
  for (let run = 0; run < hours * HOUR / everyMs; run++) {
    const begin = apps.now;
    for (const [index, state] of states.entries()) {
      const web = apps.connect(`web-${index}`, { state });
      await apps.round(web, urls, `${everyMs}ms`);
      await apps.fleet.time.pass(20_000);
      await apps.round(web, urls, `${everyMs}ms`);
      await apps.fleet.time.run(web.close());
    }
    await apps.fleet.time.pass(begin + everyMs - apps.now);
  }
}

for (
  const [everyMs, isWatched] of [[EVERY, false], [HOUR, false], [HOUR, true]] as const
) {
  const beside = isWatched ? " beside a watch" : "";
  Deno.test(`servers that ask by cron every ${everyMs / MINUTE} minutes${beside} fetch each feed once an interval`, async () => {
    await using apps = new Applications();
    const urls = feedsOf(20), hours = 12 * everyMs / HOUR;
    await runByCron(apps, urls, { servers: 3, hours, everyMs, isWatched });
    const late = apps.fetches.filter(({ time }) => time >= apps.now - 6 * everyMs);
    assert.equal(late.length, 6 * 20);
    assert.equal(new Set(late.map(({ server }) => server)).size, 3);
    for (const url of urls) {
      assert.equal(late.filter((fetch) => fetch.url === url).length, 6);
    }
  });
}

Deno.test("a server that loses its state with each run is not held up by its former runs", async () => {
  await using apps = new Applications();
  const urls = feedsOf(5);
  for (let run = 0; run < 12; run++) {
    const web1 = apps.connect("web-1");
    await apps.round(web1, urls, "10m");
    await apps.fleet.time.run(web1.close());
    await apps.fleet.time.pass(15 * MINUTE);
  }
  assert.equal(apps.fetches.length, 12 * urls.length);
});
