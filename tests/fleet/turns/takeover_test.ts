import assert from "node:assert/strict";
import type { Connection } from "../../../lib/connection.ts";
import { publish } from "../../../lib/publish.ts";
import { watch } from "../../../lib/watch.ts";
import type { State } from "../../../lib/state/state.ts";
import { survivingState } from "../../fixture.ts";
import { Applications, feedsOf, HOUR, MINUTE, reasons } from "./servers.ts";

const EVERY = 15 * MINUTE;

/** Applications that ask once a minute, one after the other, seconds apart. */
class Minutes implements AsyncDisposable {
  readonly apps = new Applications();
  readonly urls: string[];
  readonly running = new Set<Connection>();

  constructor(feeds: number) {
    this.urls = feedsOf(feeds);
  }

  start(...names: string[]): Connection[] {
    const started = names.map((name) => this.apps.connect(name));
    for (const server of started) this.running.add(server);
    return started;
  }

  /** A server with a `watch`, and a state that outlives it. */
  async watch(name: string, state: State): Promise<Connection> {
    const connection = this.apps.connect(name, { state });
    this.running.add(connection);
    await this.apps.fleet.time.run(watch(connection, () => {}).ready);
    return connection;
  }

  /** From now on the server does nothing any more. */
  crash(server: Connection): void {
    this.running.delete(server);
  }

  async pass(minutes: number): Promise<void> {
    for (let minute = 0; minute < minutes; minute++) {
      for (const server of this.running) {
        await this.apps.round(server, this.urls);
        await this.apps.fleet.time.pass(1000);
      }
      await this.apps.fleet.time.pass(MINUTE - 1000 * this.running.size);
    }
  }

  /** Delays between two fetches of one feed, since `from`. */
  delays(from = 0): number[] {
    const last = new Map<string, number>(), delays: number[] = [];
    for (const { url, time } of this.apps.fetches) {
      const before = last.get(url);
      if (before !== undefined && time >= from) delays.push(time - before);
      last.set(url, time);
    }
    return delays;
  }

  owners(): Record<string, string> {
    return Object.fromEntries(this.apps.fetches.map(({ url, server }) => [url, server]));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.apps[Symbol.asyncDispose]();
  }
}

Deno.test("servers that start together fetch each feed once, from the second interval on", async () => {
  await using fleet = new Minutes(60);
  fleet.start("web-1", "web-2", "web-3");
  await fleet.pass(20);
  const begin = fleet.apps.now;
  await fleet.pass(60);
  const delays = fleet.delays(begin);
  assert.ok(Math.min(...delays) >= 0.9 * EVERY, String(Math.min(...delays)));
  assert.ok(Math.max(...delays) <= 1.05 * EVERY + 2 * MINUTE, String(Math.max(...delays)));
  assert.equal(new Set(Object.values(fleet.owners())).size, 3);
});

Deno.test("a server that joins takes feeds over without fetching any too early", async () => {
  await using fleet = new Minutes(60);
  fleet.start("web-1", "web-2");
  await fleet.pass(40);
  const begin = fleet.apps.now;
  fleet.start("web-3");
  await fleet.pass(40);
  const delays = fleet.delays(begin);
  assert.ok(Math.min(...delays) >= 0.9 * EVERY, String(Math.min(...delays)));
  assert.ok(Math.max(...delays) <= 1.05 * EVERY + 3 * MINUTE, String(Math.max(...delays)));
  assert.ok(Object.values(fleet.owners()).includes("web-3"));
});

Deno.test("while another server still has a feed, its new owner says until when it waits", async () => {
  await using fleet = new Minutes(60);
  const [web1] = fleet.start("web-1");
  await fleet.pass(1);
  const web2 = fleet.apps.connect("web-2");
  const turns = await fleet.apps.due(web2, fleet.urls);
  assert.deepEqual([...new Set(reasons(turns))], ["owner"]);
  const mine = turns.filter((turn) => !turn.due && turn.until !== undefined);
  assert.ok(mine.length > 15 && mine.length < 45);
  for (const turn of mine) {
    assert.ok(!turn.due && turn.owner === web1.server);
    assert.equal(turn.until, new Date(fleet.apps.now + 2 * MINUTE).toISOString());
  }
});

Deno.test("an application may ask bit by bit", async () => {
  await using fleet = new Minutes(60);
  fleet.start("web-1");
  await fleet.pass(1);
  const web2 = fleet.apps.connect("web-2");
  for (let start = 0; start < 60; start += 20) {
    const turns = await fleet.apps.due(web2, fleet.urls.slice(start, start + 20));
    assert.deepEqual([...new Set(reasons(turns))], ["owner"]);
  }
});

Deno.test("a server that loses feeds writes its checks at once", async () => {
  await using fleet = new Minutes(20);
  const [web1] = fleet.start("web-1");
  const writtenAt = () => fleet.apps.fleet.store.objects.get("checks/web-1/0000")?.lastModified;
  await fleet.apps.round(web1, fleet.urls.slice(0, 10));
  await fleet.apps.fleet.time.pass(MINUTE);
  await fleet.apps.round(web1, fleet.urls);
  await fleet.apps.fleet.time.pass(MINUTE);
  await fleet.apps.due(web1, fleet.urls);
  const before = writtenAt()!;
  assert.ok(before < fleet.apps.now, "five minutes have not passed");
  await fleet.apps.due(fleet.apps.connect("web-2"), fleet.urls);
  await fleet.apps.fleet.time.pass(MINUTE);
  await fleet.apps.due(web1, fleet.urls);
  await fleet.apps.fleet.time.pass(1);
  assert.ok(writtenAt()! > before);
});

Deno.test("a crashed server's feeds are fetched within an interval and four minutes", async () => {
  await using fleet = new Minutes(60);
  const [web1] = fleet.start("web-1", "web-2", "web-3");
  await fleet.pass(40);
  fleet.crash(web1);
  const begin = fleet.apps.now;
  await fleet.pass(40);
  const delays = fleet.delays(begin);
  assert.ok(Math.max(...delays) <= 1.05 * EVERY + 4 * MINUTE, String(Math.max(...delays)));
  assert.ok(!Object.values(fleet.owners()).includes("web-1"));
  const early = delays.filter((delay) => delay < 0.9 * EVERY);
  assert.ok(early.length <= 10, "what it checked in its last five minutes is not known");
});

Deno.test("a server that stops hands over what it has checked up to then", async () => {
  await using fleet = new Minutes(60);
  const [web1] = fleet.start("web-1", "web-2", "web-3");
  await fleet.pass(37);
  fleet.crash(web1);
  await fleet.apps.fleet.time.run(web1.close());
  const begin = fleet.apps.now;
  await fleet.pass(40);
  const delays = fleet.delays(begin);
  assert.ok(Math.min(...delays) >= 0.9 * EVERY, String(Math.min(...delays)));
});

for (const mode of ["alone", "beside a watch"]) {
  Deno.test(`a server that asks ${mode} hands over what it checked since it last wrote its checks`, async () => {
    await using fleet = new Minutes(30);
    const { time, store } = fleet.apps.fleet, state = survivingState("web-1", fleet.apps.fleet);
    const asking = fleet.apps.connect("web-1", { state });
    const stopping = mode === "alone" ? asking : fleet.apps.connect("web-1", { state });
    if (stopping !== asking) await time.run(watch(stopping, () => {}).ready);
    fleet.running.add(asking);
    fleet.start("web-2");
    await fleet.pass(2);
    fleet.urls.push(...feedsOf(60).slice(30)); // Their turn is two minutes after that of the others.
    await fleet.pass(25);
    const writtenAt = () => store.objects.get("checks/web-1/0000")!.lastModified!;
    const isUnwritten = () =>
      fleet.apps.fetches.some(({ server, time }) => server === "web-1" && time > writtenAt());
    for (let minute = 0; minute < 20 && !isUnwritten(); minute++) await fleet.pass(1);
    assert.ok(isUnwritten() && fleet.apps.now - writtenAt() < 4 * MINUTE);
    fleet.crash(asking);
    await time.run(stopping.close());
    const begin = fleet.apps.now;
    await fleet.pass(40);
    const delays = fleet.delays(begin);
    assert.ok(Math.min(...delays) >= 0.9 * EVERY, String(Math.min(...delays)));
    assert.deepEqual(new Set(Object.values(fleet.owners())), new Set(["web-2"]));
  });
}

Deno.test("a server that stopped for minutes learns what others have checked meanwhile", async () => {
  await using fleet = new Minutes(60);
  const state = survivingState("web-1", fleet.apps.fleet);
  fleet.start("web-2", "web-3");
  const first = await fleet.watch("web-1", state);
  await fleet.pass(40);
  fleet.crash(first);
  await fleet.apps.fleet.time.run(first.close());
  await fleet.pass(8);
  const begin = fleet.apps.now;
  await fleet.watch("web-1", state);
  await fleet.pass(40);
  const delays = fleet.delays(begin);
  assert.ok(Math.min(...delays) >= 0.9 * EVERY, String(Math.min(...delays)));
  assert.ok(Math.max(...delays) <= 1.05 * EVERY + 4 * MINUTE, String(Math.max(...delays)));
});

Deno.test("a server whose state is lost reads its own checks", async () => {
  await using fleet = new Minutes(40);
  const [web1] = fleet.start("web-1");
  await fleet.pass(10);
  fleet.crash(web1);
  await fleet.apps.fleet.time.run(web1.close());
  for (const key of fleet.apps.fleet.keys("present/")) fleet.apps.fleet.store.objects.delete(key);
  const again = fleet.apps.connect("web-1");
  const half = fleet.urls.slice(0, 20), rest = fleet.urls.slice(20);
  assert.deepEqual(new Set(reasons(await fleet.apps.due(again, half))), new Set(["fresh"]));
  assert.deepEqual(new Set(reasons(await fleet.apps.due(again, rest))), new Set(["fresh"]));
});

Deno.test("a server whose state is lost may ask for one feed after the other", async () => {
  await using fleet = new Minutes(40);
  const { apps, urls } = fleet, [web1] = fleet.start("web-1");
  await fleet.pass(10);
  await apps.fleet.time.run(web1.close());
  for (const key of apps.fleet.keys("present/")) apps.fleet.store.objects.delete(key);
  const again = apps.connect("web-1"), { turns } = again.parts!.state;
  const noted: string[] = [], noteCheck = turns.noteCheck.bind(turns);
  turns.noteCheck = (check) => void (noted.push(check.feed), noteCheck(check));
  for (const url of urls) {
    assert.deepEqual(reasons(await apps.due(again, [url])), ["fresh"]);
  }
  assert.ok(noted.length < 3 * urls.length, "each feed's check is looked at when it is asked for");
});

Deno.test("validators are handed over, and used where the content is the newest known", async () => {
  await using apps = new Applications();
  const web1 = apps.connect("web-1"), [known, unknown] = feedsOf(2);
  await apps.due(web1, [known, unknown]);
  await apps.fleet.time.run(publish(web1, { url: known, content: "a" }, { ifChanged: true }));
  const headers = { ETag: '"1"' };
  await apps.checked(web1, known, { status: 200, headers });
  await apps.checked(web1, unknown, { status: 200, headers, content: "b" });
  await apps.fleet.time.pass(2 * MINUTE);
  await apps.fleet.time.run(web1.close());
  await apps.fleet.time.pass(20 * MINUTE);
  const web2 = apps.connect("web-2");
  await using received = apps.fleet.watch(web2);
  await apps.fleet.time.run(received.watcher.poll());
  for (let minute = 0; minute < 5; minute++) {
    await apps.due(web2, [known, unknown], { limit: 0 });
    await apps.fleet.time.pass(MINUTE);
  }
  const turns = await apps.due(web2, [known, unknown]);
  assert.deepEqual(reasons(turns), ["due", "due"]);
  assert.deepEqual(turns.map((turn) => turn.due && turn.headers), [{ "If-None-Match": '"1"' }, {}]);
});

Deno.test("a host that is left alone is left alone by those who take over, too", async () => {
  await using apps = new Applications();
  const web1 = apps.connect("web-1"), [url] = feedsOf(1);
  const other = "https://www.site-0.com/";
  await apps.due(web1, [url, other]);
  const held = { status: 429, headers: { "Retry-After": "7200" }, scope: "domain" } as const;
  await apps.checked(web1, url, held);
  await apps.fleet.time.pass(2 * MINUTE);
  await apps.fleet.time.run(web1.close());
  const web2 = apps.connect("web-2");
  for (let minute = 0; minute < 5; minute++) {
    await apps.due(web2, [url, other], { limit: 0 });
    await apps.fleet.time.pass(MINUTE);
  }
  assert.deepEqual(reasons(await apps.due(web2, [url, other])), ["backoff", "backoff"]);
});

Deno.test("a server that was away takes nothing for granted when it comes back", async () => {
  await using fleet = new Minutes(60);
  const [web1] = fleet.start("web-1", "web-2");
  await fleet.pass(30);
  fleet.crash(web1);
  await fleet.pass(7);
  fleet.running.add(web1);
  const turns = await fleet.apps.due(web1, fleet.urls);
  assert.ok(!reasons(turns).includes("due"));
  const begin = fleet.apps.now;
  await fleet.pass(30);
  const early = fleet.delays(begin).filter((delay) => delay < 0.9 * EVERY);
  assert.deepEqual(early, []);
});

for (const end of ["stops", "crashes"]) {
  Deno.test(`nothing is too early where another server ${end} while one is away`, async () => {
    await using fleet = new Minutes(60);
    const state = survivingState("web-1", fleet.apps.fleet);
    const [web2] = fleet.start("web-2", "web-3", "web-4");
    const web1 = await fleet.watch("web-1", state);
    await fleet.pass(40);
    fleet.crash(web1);
    await fleet.apps.fleet.time.run(web1.close());
    await fleet.pass(3);
    fleet.crash(web2);
    if (end === "stops") await fleet.apps.fleet.time.run(web2.close());
    await fleet.pass(19); // Others have just fetched what that server had.
    const begin = fleet.apps.now;
    await fleet.watch("web-1", state);
    await fleet.pass(40);
    const delays = fleet.delays(begin);
    assert.ok(Math.min(...delays) >= 0.9 * EVERY, String(Math.min(...delays)));
    assert.ok(Math.max(...delays) <= 1.05 * EVERY + 4 * MINUTE, String(Math.max(...delays)));
  });
}

Deno.test("what the application does not ask for any more is left to the others", async () => {
  await using fleet = new Minutes(40);
  const [web1] = fleet.start("web-1", "web-2");
  await fleet.pass(20);
  fleet.running.delete(web1);
  const some = fleet.urls.slice(0, 15), begin = fleet.apps.now;
  for (let minute = 0; minute < 40; minute++) {
    await fleet.apps.round(web1, some);
    await fleet.pass(1);
  }
  const delays = fleet.delays(begin);
  assert.ok(Math.max(...delays) <= EVERY + 16 * MINUTE, String(Math.max(...delays) / MINUTE));
  assert.ok(fleet.urls.slice(15).every((url) => fleet.owners()[url] === "web-2"));
  assert.ok(
    fleet.apps.fetches.some(({ server, time }) => server === "web-1" && time > begin + HOUR / 3),
  );
});
