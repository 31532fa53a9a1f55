import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { systemEnvironment } from "../../lib/base/environment.ts";
import { StateError } from "../../lib/errors.ts";
import { accept } from "../../lib/publishing/accept.ts";
import { prepareUpdate } from "../../lib/publishing/prepare.ts";
import { State } from "../../lib/state/state.ts";
import { acceptInto, Fleet } from "../fixture.ts";

const OWNER = { server: "web-1", store: "s3://bucket/prefix" };

/** A directory that is removed at the end of the test. */
class Place implements Disposable {
  readonly #directory = Deno.makeTempDirSync();

  path(name: string): string {
    return `${this.#directory}/${name}`;
  }

  open(name: string): State {
    return new State(this.path(name), OWNER, systemEnvironment.random);
  }

  copy(from: string, to: string): void {
    Deno.copyFileSync(this.path(from), this.path(to));
  }

  assertRefused(name: string, message: RegExp): void {
    assert.throws(() => this.open(name), (error) => {
      assert.ok(error instanceof StateError, String(error));
      assert.match(error.message, message);
      assert.ok(error.message.includes(this.path(name)));
      return true;
    });
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.#directory, { recursive: true });
  }
}

function publish(state: State, content: string): void {
  accept(
    acceptInto(state, systemEnvironment),
    prepareUpdate({ url: "https://example.com/", content }),
  );
}

Deno.test("a copy of a state in use without its log is an older copy of it, not a new state", () => {
  using place = new Place();
  using live = place.open("live.db");
  publish(live, "a");
  place.copy("live.db", "copy.db");
  using copy = place.open("copy.db");
  assert.equal(copy.ownStream.load().stream, live.ownStream.load().stream);
  assert.ok(!copy.isNew, "what it publishes shows to be a fork");
});

Deno.test("what an earlier version made, copied without its log, is refused", () => {
  using place = new Place();
  using live = new DatabaseSync(place.path("live.db"));
  live.exec("PRAGMA journal_mode = WAL; CREATE TABLE meta (key TEXT PRIMARY KEY, value ANY)");
  place.copy("live.db", "copy.db");
  assert.equal(Deno.statSync(place.path("copy.db")).size, 4096);
  place.assertRefused("copy.db", /its log .*copy\.db-wal, which is missing; copy a state while/);
  place.assertRefused("copy.db", /To begin a new state, remove it$/);
  assert.deepEqual(Deno.readFileSync(place.path("copy.db")).length, 4096, "it is left as it is");
});

Deno.test("a log without its state is refused, and left as it is", () => {
  using place = new Place();
  using live = place.open("live.db");
  publish(live, "a");
  place.copy("live.db-wal", "copy.db-wal");
  const { size } = Deno.statSync(place.path("copy.db-wal"));
  place.assertRefused("copy.db", /is missing or empty, but its log .*copy\.db-wal is there/);
  Deno.writeFileSync(place.path("copy.db"), new Uint8Array());
  place.assertRefused("copy.db", /is missing or empty, but its log/);
  assert.equal(Deno.statSync(place.path("copy.db-wal")).size, size);
});

Deno.test("a copy with its log has all that was accepted", () => {
  using place = new Place();
  using live = place.open("live.db");
  publish(live, "a");
  place.copy("live.db", "copy.db");
  place.copy("live.db-wal", "copy.db-wal");
  using copy = place.open("copy.db");
  assert.equal(copy.queued(), 1);
});

Deno.test("an empty file becomes a state, also by several processes at once", async () => {
  using place = new Place();
  const path = place.path("web-1.db");
  Deno.writeFileSync(path, new Uint8Array());
  const module = new URL("../../lib/state/state.ts", import.meta.url).href;
  const code = `const { State } = await import(${JSON.stringify(module)});
    const random = { uuid: () => "", fraction: () => 0,
      token: () => Array.from({ length: 8 }, () => "abcdefgh"[Math.random() * 8 | 0]).join("") };
    const owner = ${JSON.stringify(OWNER)};
    using state = new State(${JSON.stringify(path)}, owner, random);
    await state.sync();
    console.log(state.ownStream.load().stream);`;
  const run = async () => {
    const { stdout, stderr } = await new Deno.Command(Deno.execPath(), { args: ["eval", code] })
      .output();
    return new TextDecoder().decode(stdout) || new TextDecoder().decode(stderr);
  };
  const streams = await Promise.all(Array.from({ length: 6 }, run));
  assert.equal(new Set(streams).size, 1, streams.join("\n"));
  assert.match(streams[0], /^web-1_[a-z]{8}\n$/);
});

Deno.test("a copy without the log uses no numbers again, although all that was published has expired", async () => {
  using place = new Place();
  await using fleet = new Fleet();
  const owner = { server: "web-1", store: fleet.store.url };
  const open = (name: string) => new State(place.path(name), owner, fleet.time.random);
  const web1 = fleet.server("web-1", { state: open("live.db") });
  await using reader = fleet.watch(fleet.server("web-2"));
  await fleet.publish(web1, "a", "b", "c");
  await fleet.time.run(reader.watcher.poll());
  place.copy("live.db", "copy.db");
  fleet.store.objects.clear();
  const copy = fleet.server("web-1", { state: open("copy.db") });
  assert.equal(copy.stream, web1.stream);
  await fleet.publish(copy, "d");
  assert.notEqual(copy.stream, web1.stream);
  await fleet.time.run(reader.watcher.poll());
  assert.deepEqual(reader.contents, ["a", "b", "c", "d"]);
});
