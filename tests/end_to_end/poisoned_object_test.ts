import assert from "node:assert/strict";
import { join } from "node:path";
import { zstdCompressSync } from "node:zlib";
import { systemEnvironment } from "../../lib/base/environment.ts";
import { resolveConfig } from "../../lib/config/resolve.ts";
import { BucketLog } from "../../lib/log/bucket_log.ts";
import { parseKey } from "../../lib/log/names.ts";
import { asSeq } from "../../lib/log/positions.ts";
import { State } from "../../lib/state/state.ts";
import { openStore } from "../../lib/stores/open.ts";
import type { ObjectStore } from "../../lib/stores/store.ts";
import { onEveryStore } from "./stores.ts";
import { Fleet, urlOf } from "../fixture.ts";
import { feedsync, workspace } from "../cli/feedsync.ts";

const ID = "11111111-1111-4111-8111-111111111111";

/** The store, in which virtual time stands still while it works. */
function standingStill(store: ObjectStore, fleet: Fleet): ObjectStore {
  const hold = <A extends unknown[], R>(work: (...args: A) => Promise<R>) => (...args: A) =>
    fleet.time.hold(() => work.apply(store, args));
  return {
    url: store.url,
    get clockOffset() {
      return store.clockOffset;
    },
    requests: store.requests,
    put: hold(store.put),
    get: hold(store.get),
    delete: hold(store.delete),
    async *list(prefix, options) {
      yield* await fleet.time.hold(() => Array.fromAsync(store.list(prefix, options)));
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

onEveryStore(
  "a poisoned commit holds others up until it is dropped; then they report a gap, restore and go on",
  async ({ config }) => {
    await using home = await workspace({
      "feedsync.json": JSON.stringify({ ...config, server: "web-3", logLevel: "warn" }),
    });
    const run = (...args: string[]) => feedsync(["objects", ...args], { cwd: home.path });
    const { store: url, s3 } = resolveConfig(config);
    await using real = await openStore(url, s3, { environment: systemEnvironment });
    await using fleet = new Fleet();
    const store = standingStill(real, fleet);
    const web1 = fleet.server("web-1", { store });
    const path = join(home.path, "web-2.db"), owner = { server: "web-2", store: store.url };
    const state = new State(path, owner, fleet.time.random); // One that lasts is restored into.
    fleet.atEnd(() => state[Symbol.dispose]());
    await using received = fleet.watch(fleet.server("web-2", { store, state }));
    await fleet.publish(web1, "a");
    await fleet.time.run(received.watcher.poll());
    await fleet.publish(web1, "b", "c");
    const { newest } = new BucketLog(store, { environment: fleet.time });
    const kept = { id: ID, url: urlOf("b"), content: "b, as it was", metadata: {} };
    const time = new Date(fleet.time.clock.now() - 60_000).toISOString();
    await newest.write({ ...kept, time, seq: asSeq(1), stream: "web-9_abcdefgh" });

    const keys = (await Array.fromAsync(real.list("tail/"))).map(({ key }) => key);
    const poisoned = keys.find((key) => parseKey(key)!.first === 2)!;
    await real.put(poisoned, zstdCompressSync("\x1b[31m no commit"));
    const { unreadable } = await fleet.time.run(received.watcher.poll());
    assert.deepEqual(unreadable.map(({ key }) => key), [poisoned]);
    assert.deepEqual(received.contents, ["a"]);

    const shown = await run("show", poisoned, "--json");
    assert.equal(shown.code, 1, shown.stderr);
    const [{ kind, server, first, last, readable, unreadable: why }] = shown.json();
    assert.deepEqual([kind, server, first, last, readable], ["commit", "web-1", 2, 2, false]);
    assert.equal((why as { reason: string }).reason, "corrupt");
    const dropped = await run("drop", poisoned);
    assert.equal(dropped.code, 0, dropped.stderr);
    assert.match(dropped.stdout, /report a gap, update 2 of web-1, and restore/);
    assert.match(dropped.stdout, new RegExp(`^dropped ${poisoned}$`, "m"));
    assert.equal((await run("show", poisoned)).code, 65);

    await fleet.time.run(received.watcher.poll());
    assert.deepEqual(received.gaps.map(({ first, last }) => [first, last]), [[2, 2]]);
    await fleet.publish(web1, "d");
    await fleet.time.run(received.watcher.poll());
    assert.deepEqual(received.contents.toSorted(), ["a", "b, as it was", "c", "d"]);
  },
);
