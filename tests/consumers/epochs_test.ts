import assert from "node:assert/strict";
import { join } from "node:path";
import type { Connection } from "../../lib/connection.ts";
import { Consumers } from "../../lib/consumers/consumers.ts";
import { ExpiredCursorError, UnknownConsumerError } from "../../lib/consumers/errors.ts";
import { State } from "../../lib/state/state.ts";
import { Fleet, type Received, texts } from "../fixture.ts";
import { temporaryDirectory } from "../plugins/harness.ts";
import { contentOf } from "./setting.ts";

/** A server with a state file that can be restored from a backup. */
class RestorableServer {
  readonly path: string;
  readonly fleet: Fleet;
  consumers!: Consumers;
  #server: Connection | undefined;
  #received: Received | undefined;

  constructor(fleet: Fleet, directory: string) {
    this.fleet = fleet;
    this.path = join(directory, "web-2.db");
  }

  start(): void {
    const { time, store } = this.fleet;
    const state = new State(this.path, { server: "web-2", store: store.url }, time.random);
    this.#server = this.fleet.server("web-2", { state });
    this.#received = this.fleet.watch(this.#server);
    this.consumers = new Consumers(this.#server);
  }

  async stop(): Promise<void> {
    const { time } = this.fleet;
    await time.run(this.consumers.close());
    await time.run(this.#received!.watcher.close());
    await time.run(this.#server!.close());
  }

  async publish(publisher: Connection, ...contents: string[]): Promise<void> {
    await this.fleet.publish(publisher, ...contents);
    await this.fleet.time.run(this.#received!.watcher.poll());
  }

  async read() {
    return await this.fleet.time.run(this.consumers.read("app"));
  }
}

Deno.test("cursors survive a restart", async () => {
  await using home = await temporaryDirectory();
  await using fleet = new Fleet();
  const web1 = fleet.server("web-1"), server = new RestorableServer(fleet, home.path);
  server.start();
  server.consumers.put("app", { from: "now" });
  await server.publish(web1, "a", "b", "c");
  const lines = await server.read();
  server.consumers.ack("app", lines[0].cursor);
  await server.stop();
  server.start();
  server.consumers.ack("app", lines[1].cursor);
  assert.deepEqual((await server.read()).map(contentOf), ["c"]);
  server.consumers.ack("app", lines[0].cursor);
  await server.publish(web1, "d");
  assert.deepEqual((await server.read()).map(contentOf), ["c", "d"]);
  await server.stop();
});

Deno.test("a state that is restored from a backup accepts no cursors of what came after that", async () => {
  await using home = await temporaryDirectory();
  await using fleet = new Fleet();
  const web1 = fleet.server("web-1"), web3 = fleet.server("web-3");
  const server = new RestorableServer(fleet, home.path), backup = join(home.path, "backup");
  server.start();
  server.consumers.put("app", { from: "now" });
  await server.publish(web1, "a", "b");
  const known = await server.read();
  await server.stop();
  await Deno.copyFile(server.path, backup);
  server.start();
  await server.publish(web1, "c", "d");
  const future = await server.read();
  assert.deepEqual(future.map(contentOf), ["a", "b", "c", "d"]);
  server.consumers.ack("app", future[3].cursor);
  await server.stop();

  await Deno.copyFile(backup, server.path);
  server.start();
  const refused = (error: unknown) => {
    assert.ok(error instanceof ExpiredCursorError);
    server.consumers.ack("app", error.cursor); // Where to go on.
    return true;
  };
  assert.throws(() => server.consumers.ack("app", future[3].cursor), refused);
  // The same numbers now stand for other updates.
  await fleet.publish(web3, "x", "y", "z");
  await server.publish(web1, "e");
  assert.throws(() => server.consumers.ack("app", future[3].cursor), refused);
  await assert.rejects(server.consumers.read("app", { after: future[2].cursor }), refused);
  server.consumers.ack("app", known[0].cursor);
  const contents = (await server.read()).map(contentOf);
  assert.deepEqual(contents.toSorted(), ["b", "c", "d", "e", "x", "y", "z"]);
  await server.stop();
});

Deno.test("a walk of a restored state accepts no cursors of feeds that it has numbered anew", async () => {
  await using home = await temporaryDirectory();
  await using fleet = new Fleet();
  const web1 = fleet.server("web-1"), backup = join(home.path, "backup");
  const server = new RestorableServer(fleet, home.path);
  server.start();
  await server.publish(web1, ...texts("a", 5));
  server.consumers.put("app", { from: "newest" });
  await server.stop();
  await Deno.copyFile(server.path, backup);
  server.start();
  const future = await server.read();
  await server.stop();
  await Deno.copyFile(backup, server.path);
  server.start();
  assert.throws(() => server.consumers.ack("app", future[3].cursor), ExpiredCursorError);
  const again = await server.read();
  assert.deepEqual(again.map(contentOf).toSorted(), texts("a", 5));
  assert.throws(() => server.consumers.ack("app", future[3].cursor), ExpiredCursorError);
  server.consumers.ack("app", again[4].cursor);
  assert.deepEqual(await server.read(), []);
  await server.stop();
});

Deno.test("a new state knows no consumers, and accepts no cursors of the one before", async () => {
  await using home = await temporaryDirectory();
  await using fleet = new Fleet();
  const web1 = fleet.server("web-1"), server = new RestorableServer(fleet, home.path);
  server.start();
  server.consumers.put("app", { from: "now" });
  await server.publish(web1, "a", "b");
  const lines = await server.read();
  await server.stop();
  await Deno.remove(server.path);
  server.start();
  assert.throws(() => server.consumers.ack("app", lines[1].cursor), UnknownConsumerError);
  server.consumers.put("app", { from: "now" });
  await server.publish(web1, "c");
  assert.throws(() => server.consumers.ack("app", lines[1].cursor), ExpiredCursorError);
  await server.stop();
});
