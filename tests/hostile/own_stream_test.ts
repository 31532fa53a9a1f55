import assert from "node:assert/strict";
import { decodeBody } from "../../lib/log/codec.ts";
import { objectName, parseKey } from "../../lib/log/names.ts";
import { Fleet, texts } from "../fixture.ts";
import { bodyOf, lineOf } from "./values.ts";

/** Puts a well-formed commit of an attacker into a stream. */
async function intrude(fleet: Fleet, stream: string, first: number, last = first): Promise<void> {
  const writer = "zzzzzzzz";
  const name = objectName({ kind: "tail", stream, first, last, writer });
  const lines = Array.from({ length: last - first + 1 }, (_, i) => lineOf(first + i));
  await fleet.store.put(name.key, bodyOf(name, lines));
}

Deno.test("each commit in a stream of ours makes us begin one more, and repeats what is in no closed segment", async () => {
  await using fleet = new Fleet();
  const [web1, web2] = [fleet.server("web-1"), fleet.server("web-2")];
  await using own = fleet.watch(web1);
  await using received = fleet.watch(web2);
  await fleet.publish(web1, ...texts("a", 20));
  for (let round = 1; round <= 5; round++) {
    const { put } = fleet.store.requests;
    await intrude(fleet, web1.stream, 1);
    // Many polls, and time for all that is to be done after one of them.
    for (let poll = 0; poll < 5; poll++) {
      await fleet.time.run(own.watcher.poll());
      await fleet.time.pass(60_000);
    }
    const puts = fleet.store.requests.put - put - 1;
    assert.ok(puts <= 8, `${puts} PUTs for one of the attacker`);
    await fleet.publish(web1, `b${round}`);
  }
  const streams = new Set(fleet.keys().map((key) => parseKey(key)!.stream));
  assert.ok(streams.size <= 11, `${streams.size} streams for 5 intrusions`);
  await fleet.time.run(received.watcher.poll());
  const contents = new Set(received.contents);
  for (const content of [...texts("a", 20), ...texts("b", 5)]) {
    assert.ok(contents.has(content), content);
  }
});

Deno.test("a commit at the end of all numbers in a stream of ours loses nothing that we publish", async () => {
  await using fleet = new Fleet();
  const [web1, web2] = [fleet.server("web-1"), fleet.server("web-2")];
  await using own = fleet.watch(web1);
  await using received = fleet.watch(web2);
  await fleet.publish(web1, "a");
  await fleet.time.run(received.watcher.poll());
  await intrude(fleet, web1.stream, Number.MAX_SAFE_INTEGER);
  await fleet.time.run(received.watcher.poll());
  await fleet.time.run(own.watcher.poll());
  await fleet.publish(web1, "b", "c");
  await fleet.time.run(received.watcher.poll());
  assert.deepEqual(received.contents.filter((content) => content !== "x"), ["a", "b", "c"]);
});

Deno.test("streams that claim the name of a server, our own too, are streams like others", async () => {
  await using fleet = new Fleet();
  const [web1, web2] = [fleet.server("web-1"), fleet.server("web-2")];
  const { stream } = web1;
  await fleet.publish(web1, "a");
  await intrude(fleet, "web-1_zzzzzzzz", 1);
  await using own = fleet.watch(web1);
  await using received = fleet.watch(web2);
  for (const { watcher } of [own, received]) await fleet.time.run(watcher.poll());
  await fleet.publish(web1, "b");
  await fleet.time.run(received.watcher.poll());
  assert.equal(web1.stream, stream);
  assert.deepEqual(own.contents, ["x"]);
  assert.deepEqual(received.contents.toSorted(), ["a", "b", "x"]);
  assert.deepEqual(new Set(received.updates.map(({ server }) => server)), new Set(["web-1"]));
});

Deno.test("a header that names another server changes nothing: the key tells whose it is", async () => {
  await using fleet = new Fleet();
  const name = objectName({
    kind: "tail",
    stream: "evil_abcdefgh",
    first: 1,
    last: 1,
    writer: "zzzzzzzz",
  });
  await fleet.store.put(
    name.key,
    bodyOf(name, [lineOf(1)], { server: "web-1", previous: "web-1_x" }),
  );
  assert.equal(decodeBody(name, fleet.store.objects.get(name.key)!.body).length, 1);
  await using received = fleet.watch(fleet.server("web-2"));
  await fleet.time.run(received.watcher.poll());
  assert.deepEqual(received.updates.map(({ server }) => server), ["evil"]);
});
