import assert from "node:assert/strict";
import { openStore } from "../../lib/stores/open.ts";
import { cleanup, type Config, connect, publish, type Update, watch } from "../../mod.ts";
import { onEveryStore, type TestStore } from "./stores.ts";

/** The configuration of a server with its state in a file of `directory`. */
function serverConfig(store: TestStore, server: string, directory: string): Config {
  return { ...store.config, server, state: `${directory}/${server}.db` };
}

onEveryStore("what three servers publish reaches the other two, in order", async (store) => {
  const directory = await Deno.makeTempDir();
  const names = ["web-1", "web-2", "web-3"];
  try {
    await using stack = new AsyncDisposableStack();
    const servers = await Promise.all(
      names.map(async (name) => stack.use(await connect(serverConfig(store, name, directory)))),
    );
    const received = new Map(names.map((name) => [name, [] as Update[]]));
    const watchers = servers.map((server) =>
      stack.use(
        watch(server, (update) => void received.get(server.server)!.push(update), { manual: true }),
      )
    );
    for (let round = 0; round < 12; round++) {
      await Promise.all(servers.map((server) =>
        publish(server, {
          url: `https://${server.server}.example.com/${round % 3}`,
          content: round % 2 ? `Nöws ${round}` : new Uint8Array([0xff, round]),
          metadata: { round },
        })
      ));
      if (round % 4 === 0) await Promise.all(watchers.map((watcher) => watcher.poll()));
    }
    await Promise.all(watchers.map((watcher) => watcher.poll()));
    for (const [name, updates] of received) {
      assert.equal(updates.length, 24);
      for (const other of names.filter((other) => other !== name)) {
        const rounds = updates.filter(({ server }) => server === other);
        assert.deepEqual(rounds.map(({ metadata }) => metadata.round), [...Array(12).keys()]);
        assert.deepEqual(rounds[2].content, new Uint8Array([0xff, 2]));
        assert.equal(rounds[3].content, "Nöws 3");
      }
    }
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});

onEveryStore("a server that was away catches up from its state, without repeats", async (store) => {
  const directory = await Deno.makeTempDir();
  try {
    await using web1 = await connect(serverConfig(store, "web-1", directory));
    const seen: unknown[] = [];
    for (let run = 0; run < 3; run++) {
      await using web2 = await connect(serverConfig(store, "web-2", directory));
      await using watcher = watch(web2, ({ content }) => void seen.push(content), { manual: true });
      await watcher.poll();
      const updates = Array.from({ length: 1500 }, (_, i) => ({
        url: `https://example.com/${i}`,
        content: run * 1500 + i,
      }));
      await publish(web1, updates);
      if (run === 1) await watcher.poll();
    }
    await using web2 = await connect(serverConfig(store, "web-2", directory));
    await using watcher = watch(web2, ({ content }) => void seen.push(content), { manual: true });
    await watcher.poll();
    assert.deepEqual(seen, [...Array(4500).keys()]);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});

onEveryStore("cleanup leaves what is young, and a poll costs one request", async (store) => {
  await using web1 = await connect({ ...store.config, server: "web-1" });
  await using web2 = await connect({ ...store.config, server: "web-2" });
  for (let i = 0; i < 20; i++) await publish(web1, { url: "https://example.com/", content: i });
  const report = await cleanup(web2, { maxAge: "10m" });
  assert.equal(report.deleted, 0);
  assert.ok(report.kept > 0);
  await using bucket = await openStore(store.config.store, store.config.s3);
  const segments = await Array.fromAsync(bucket.list("segments/"));
  assert.ok(segments.length > 0, "what is published is sealed");
  await using watcher = watch(web2, () => {}, { manual: true });
  assert.deepEqual(await watcher.poll(), {
    applied: 20,
    restored: 0,
    failed: 0,
    gaps: 0,
    unreadable: [],
  });
  const before = { ...web2.requests };
  await watcher.poll();
  assert.deepEqual({ ...web2.requests }, { ...before, list: before.list + 1 });
});
