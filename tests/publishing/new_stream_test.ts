import assert from "node:assert/strict";
import { asRow, asSeq } from "../../lib/log/positions.ts";
import { StoreUnavailableError } from "../../lib/errors.ts";
import { accept } from "../../lib/publishing/accept.ts";
import { prepareUpdate } from "../../lib/publishing/prepare.ts";
import { renameServer } from "../../lib/publishing/new_stream.ts";
import { State } from "../../lib/state/state.ts";
import { failing } from "../memory_store.ts";
import { Fleet, texts, urlOf } from "../fixture.ts";

/** A fleet, with a server whose state is in a file, so that it can be renamed while it is stopped. */
class Renaming implements AsyncDisposable {
  readonly fleet = new Fleet();
  readonly #path: string;

  constructor() {
    this.#path = `${Deno.makeTempDirSync()}/state.db`;
  }

  open(server: string): State {
    const { store, time } = this.fleet;
    return new State(this.#path, { server, store: store.url }, time.random);
  }

  connect(name: string, config = {}) {
    return this.fleet.server(name, { state: this.open(name), ...config });
  }

  rename(from: string, to: string, { includeOwn = false } = {}): void {
    using state = this.open(from);
    renameServer({ state, includeOwn, environment: this.fleet.time }, to);
  }

  /** Accepts updates that are not uploaded. */
  queue(server: string, ...contents: string[]): void {
    using state = this.open(server);
    const { log, time } = this.fleet;
    for (const content of contents) {
      accept({ state, log, environment: time }, prepareUpdate({ url: urlOf(content), content }));
    }
  }

  /** What another server reads: contents, with the server that published them. */
  async read(): Promise<string[]> {
    await using received = this.fleet.watch(this.fleet.server("reader"));
    await this.fleet.time.run(received.watcher.poll());
    assert.deepEqual(received.gaps, []);
    return received.updates.map(({ server, content }) => `${server} ${content}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.fleet[Symbol.asyncDispose]();
    await Deno.remove(this.#path.replace("/state.db", ""), { recursive: true });
  }
}

Deno.test("what is queued when a server gets another name is published under it, once", async () => {
  await using world = new Renaming();
  const { fleet } = world;
  const before = world.connect("web-1");
  await fleet.publish(before, ...texts("a", 12));
  await fleet.time.run(before.close());
  world.queue("web-1", "q1", "q2");
  world.rename("web-1", "web-2");
  const after = world.connect("web-2");
  await fleet.publish(after, "b");
  assert.match(after.stream, /^web-2_/);
  const own = texts("a", 12).map((content) => `web-1 ${content}`);
  const later = ["q1", "q2", "b"].map((content) => `web-2 ${content}`);
  assert.deepEqual((await world.read()).sort(), [...own, ...later].sort());
  await using received = fleet.watch(after);
  await fleet.time.run(received.watcher.poll());
  assert.deepEqual(received.contents, [], "own updates stay own, under either name");
});

Deno.test("what was uploaded without a record of it before a server is renamed is not lost", async () => {
  await using world = new Renaming();
  const { fleet } = world;
  const before = world.connect("web-1");
  await fleet.publish(before, "a1", "a2");
  await fleet.time.run(before.close());
  {
    using state = world.open("web-1");
    state.ownStream.dropCommits(asSeq(2));
    state.ownStream.save({ uploadedRow: asRow(0) });
  }
  world.rename("web-1", "web-2");
  const after = world.connect("web-2");
  await fleet.publish(after, "b");
  const read = new Set((await world.read()).map((text) => text.split(" ")[1]));
  assert.deepEqual(read, new Set(["a1", "a2", "b"]));
  await using received = fleet.watch(after);
  await fleet.time.run(received.watcher.poll());
  assert.deepEqual(received.contents, []);
});

Deno.test("a server that is renamed applies nothing that it published before, however early", async () => {
  await using world = new Renaming();
  const { fleet } = world;
  const before = world.connect("web-1");
  await fleet.publish(before, "a1");
  {
    await using received = fleet.watch(before);
    await fleet.time.run(received.watcher.poll());
  }
  await fleet.publish(before, "a2");
  await fleet.time.run(before.close());
  world.rename("web-1", "web-2");
  const after = world.connect("web-2");
  await using received = fleet.watch(after);
  await fleet.publish(after, "b");
  await fleet.time.run(received.watcher.poll());
  assert.deepEqual(received.contents, []);
});

Deno.test("a server that applies its own updates goes on where it was when it is renamed", async () => {
  await using world = new Renaming();
  const { fleet } = world;
  const config = { includeOwn: true };
  const before = world.connect("web-1", config);
  {
    await using received = fleet.watch(before);
    await fleet.publish(before, "a1");
    await fleet.time.run(received.watcher.poll());
  }
  await fleet.publish(before, "a2");
  await fleet.time.run(before.close());
  world.queue("web-1", "q");
  world.rename("web-1", "web-2", config);
  const after = world.connect("web-2", config);
  await using received = fleet.watch(after);
  await fleet.publish(after, "b");
  await fleet.time.run(received.watcher.poll());
  assert.deepEqual(received.contents.toSorted(), ["a2", "b", "q"]);
  assert.deepEqual(received.gaps, []);
});

Deno.test("a server can get its former name again, and be renamed while the store is away", async () => {
  await using world = new Renaming();
  const { fleet } = world;
  world.queue("web-1", "q1");
  world.rename("web-1", "web-2");
  world.queue("web-2", "q2");
  const recover = fleet.store.before(
    "put",
    failing(new StoreUnavailableError("The store is away")),
  );
  const during = world.connect("web-2");
  await assert.rejects(fleet.publish(during, "q3"), StoreUnavailableError);
  await fleet.time.run(during.close());
  recover();
  world.rename("web-2", "web-1");
  const after = world.connect("web-1");
  await fleet.publish(after, "b");
  assert.deepEqual(await world.read(), ["q1", "q2", "q3", "b"].map((text) => `web-1 ${text}`));
});
