import assert from "node:assert/strict";
import { configureSync, type LogRecord, resetSync } from "@logtape/logtape";
import { resolveConfig } from "../../lib/config/resolve.ts";
import { Connection } from "../../lib/connection.ts";
import { systemEnvironment } from "../../lib/base/environment.ts";
import { accept } from "../../lib/publishing/accept.ts";
import { prepareUpdate } from "../../lib/publishing/prepare.ts";
import { FileLock } from "../../lib/state/lock.ts";
import { queuedSiblings } from "../../lib/state/siblings.ts";
import { State } from "../../lib/state/state.ts";
import { MemoryStore } from "../memory_store.ts";
import { acceptInto } from "../fixture.ts";

/** A directory of states that is removed at the end of the test. */
class States implements Disposable {
  readonly directory = Deno.makeTempDirSync();

  path(name: string): string {
    return `${this.directory}/${name}.db`;
  }

  open(server: string): State {
    return new State(this.path(server), { server, store: "memory:" }, systemEnvironment.random);
  }

  /** A state with so many updates that are not uploaded. */
  queue(server: string, count: number): void {
    using state = this.open(server);
    for (let i = 0; i < count; i++) {
      const update = prepareUpdate({ url: `https://example.com/${i}`, content: "a" });
      accept(acceptInto(state, systemEnvironment), update);
    }
  }

  files(): string[] {
    return [...Deno.readDirSync(this.directory)].map(({ name }) => name).sort();
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.directory, { recursive: true });
  }
}

Deno.test("states are found in which updates wait, and nothing is left beside them", () => {
  using states = new States();
  states.queue("web-1", 2);
  states.queue("web-2", 0);
  Deno.writeTextFileSync(states.path("notes"), "no database");
  const before = states.files();
  const [first] = queuedSiblings(states.path("new"));
  assert.deepEqual(first, { path: states.path("web-1"), server: "web-1", queued: 2 });
  assert.deepEqual(queuedSiblings(states.path("new")).length, 1);
  assert.deepEqual(queuedSiblings(states.path("web-1")), [], "it is not beside itself");
  assert.deepEqual(states.files(), before);
});

Deno.test("what a crashed process left in its log counts, and stays there", () => {
  using live = new States();
  using states = new States();
  using state = live.open("web-1");
  accept(
    acceptInto(state, systemEnvironment),
    prepareUpdate({ url: "https://example.com/", content: "a" }),
  );
  for (const part of ["", "-wal"]) {
    Deno.copyFileSync(live.path("web-1") + part, states.path("web-1") + part);
  }
  const { size } = Deno.statSync(`${states.path("web-1")}-wal`);
  assert.deepEqual(queuedSiblings(states.path("new")).map(({ queued }) => queued), [1]);
  assert.deepEqual(states.files(), ["web-1.db", "web-1.db-wal"]);
  assert.equal(Deno.statSync(`${states.path("web-1")}-wal`).size, size);
});

Deno.test("a state that a process uploads from is left alone", () => {
  using states = new States();
  states.queue("web-1", 2);
  using lock = new FileLock(`${states.path("web-1")}.upload.lock`);
  assert.ok(lock.tryAcquire());
  assert.deepEqual(queuedSiblings(states.path("new")), []);
  lock[Symbol.dispose]();
  assert.equal(queuedSiblings(states.path("new")).length, 1);
});

Deno.test("a new state beside one with queued updates warns, once, and tells what to do", async () => {
  using states = new States();
  states.queue("old-name", 3);
  const records: LogRecord[] = [];
  configureSync({
    reset: true,
    sinks: { memory: (record) => void records.push(record) },
    loggers: [
      { category: ["feedsync", "state"], sinks: ["memory"] },
      { category: ["logtape", "meta"], lowestLevel: "error", sinks: ["memory"] },
    ],
  });
  try {
    for (let start = 1; start <= 2; start++) {
      const config = resolveConfig({ server: "new-name", state: states.path("new-name") });
      const store = new MemoryStore(systemEnvironment.clock);
      await new Connection(config, store).close();
    }
  } finally {
    resetSync();
  }
  assert.equal(records.length, 1);
  const told = records[0].message.join("");
  assert.ok(told.includes(states.path("old-name")) && told.includes("holds 3 updates"), told);
  assert.ok(told.includes("feedsync watch --once --server old-name --state"), told);
});
