/** What a server can do to the others that has what all of them have: the bucket and the secret. */
import assert from "node:assert/strict";
import { encodeBody, updateLine } from "../../lib/log/codec.ts";
import { resolveConfig } from "../../lib/config/resolve.ts";
import { Connection } from "../../lib/connection.ts";
import { systemEnvironment } from "../../lib/base/environment.ts";
import { objectName } from "../../lib/log/names.ts";
import { publish } from "../../lib/publish.ts";
import { Peers } from "../../lib/wake/send/peers.ts";
import { watch } from "../../lib/watch.ts";
import { Keys } from "../encryption/keys.ts";
import { Fleet, survivingState } from "../fixture.ts";
import { MemoryStore } from "../memory_store.ts";
import { freeAddress } from "../servers/ports.ts";

const SECRET = `whsec_${btoa("a secret that all servers have")}`;

Deno.test("who has the secret of peers may pass off updates as another's, which hides its own", async () => {
  const store = new MemoryStore(systemEnvironment.clock), address = freeAddress();
  const web1Config = { server: "web-1", poll: "1h", wake: { secret: SECRET } };
  const web2Config = { server: "web-2", poll: "1h", wake: { secret: SECRET, listen: address } };
  await using web1 = new Connection(resolveConfig(web1Config), store);
  await using web2 = new Connection(resolveConfig(web2Config), store);
  const contents: unknown[] = [];
  const forged = Promise.withResolvers<void>();
  await using watcher = watch(web2, ({ content }) => {
    contents.push(content);
    if (content === "forged") forged.resolve();
  });
  await watcher.poll();
  const name = objectName({
    kind: "tail",
    stream: web1.stream,
    first: 1,
    last: 1,
    writer: "zzzzzzzz",
  });
  const row = { id: crypto.randomUUID(), url: "https://example.com/", time: Date.now() };
  const line = updateLine({ ...row, body: '"content":"forged","metadata":{}' }, 1);
  const body = encodeBody(name, [line], { time: new Date().toISOString() });
  const peers = new Peers([`http://${address}`], {
    secret: SECRET,
    log: { url: store.url, service: undefined, now: Date.now },
    environment: systemEnvironment,
  });
  peers.send({ key: name.key, body });
  await forged.promise;
  await peers.close(1000);
  await publish(web1, { url: "https://example.com/", content: "its own" });
  await watcher.poll();
  assert.deepEqual(contents, ["forged"]);
});

Deno.test("an old object that is put back at its key changes nothing where it was read", async () => {
  await using fleet = new Fleet();
  const publisher = fleet.server("web-1");
  await fleet.publish(publisher, "1");
  const [key] = fleet.keys("tail/");
  const { body } = fleet.store.objects.get(key)!;
  await using reader = fleet.watch(
    fleet.server("web-2", { state: survivingState("web-2", fleet) }),
  );
  await fleet.time.run(reader.watcher.poll());
  await fleet.publish(publisher, "2");
  await fleet.store.delete([key]);
  await fleet.time.run(reader.watcher.poll());
  await fleet.store.put(key, body);
  await fleet.time.run(reader.watcher.poll());
  assert.deepEqual(reader.contents, ["1", "2"]);
});

Deno.test("an old object that is put back long after its stream was gone is superseded", async () => {
  await using fleet = new Fleet();
  const DAY = 24 * 60 * 60 * 1000;
  const publisher = fleet.server("web-1");
  const url = "https://example.com/";
  await fleet.time.run(publish(publisher, { url, content: "old" }));
  const [key] = fleet.keys("tail/"), { body } = fleet.store.objects.get(key)!;
  await fleet.time.run(publish(publisher, { url, content: "new" }));
  await using reader = fleet.watch(fleet.server("web-2"));
  await fleet.time.run(reader.watcher.poll());
  await fleet.store.delete(fleet.keys());
  for (let day = 0; day < 8; day++) {
    await fleet.time.run(reader.watcher.poll());
    fleet.time.skip(DAY / 2);
  }
  await fleet.store.put(key, body);
  await fleet.time.run(reader.watcher.poll());
  assert.deepEqual(reader.contents, ["old", "new"]);
  await fleet.store.delete([key]);
  for (let day = 0; day < 10; day++) {
    await fleet.time.run(reader.watcher.poll());
    fleet.time.skip(DAY / 2);
  }
  await fleet.time.run(reader.watcher.poll());
  await fleet.store.put(key, body);
  await fleet.time.run(reader.watcher.poll());
  assert.deepEqual(reader.contents, ["old", "new", "old"]);
  assert.ok(reader.updates[2].superseded);
});

Deno.test("a new server takes an old object that was put back for the newest, also with keys", async () => {
  await using keys = await Keys.make();
  await using fleet = new Fleet();
  const publisher = fleet.server("web-1", { envelope: await keys.envelope() });
  await fleet.publish(publisher, "old");
  const [key] = fleet.keys("tail/");
  const { body } = fleet.store.objects.get(key)!;
  await fleet.publish(publisher, "new");
  await fleet.store.delete(fleet.keys());
  await fleet.store.put(key, body);
  await using reader = fleet.watch(fleet.server("web-2", { envelope: await keys.envelope() }));
  await fleet.time.run(reader.watcher.poll());
  assert.deepEqual(reader.contents, ["old"]);
});
