import assert from "node:assert/strict";
import { join } from "node:path";
import { openDirectoryStore } from "../../../lib/stores/directory/directory_store.ts";
import { VirtualTime } from "../../virtual_time.ts";
import { bytes } from "../contract.ts";

/** A watch of a new directory, whose calls can be waited for. */
class Watch implements AsyncDisposable {
  readonly path: string;
  readonly time = new VirtualTime();
  readonly #watch: AsyncDisposable;
  #heard = Promise.withResolvers<void>();

  constructor(path: string) {
    this.path = path;
    const store = openDirectoryStore(path, this.time);
    this.#watch = store.watch!("tail/", () => this.#heard.resolve());
  }

  /** A watch that has begun. */
  static async begin(): Promise<Watch> {
    const watch = new Watch(join(await Deno.makeTempDir({ prefix: "feedsync watch " }), "store"));
    await watch.#heard.promise;
    watch.forget();
    return watch;
  }

  /** Resolves after the next call since {@linkcode Watch.forget}; time passes meanwhile. */
  async heard(): Promise<void> {
    const { promise: silence, reject } = Promise.withResolvers<never>();
    const patience = setTimeout(() => reject(new Error("Nothing was heard")), 20_000);
    try {
      await this.time.run(Promise.race([this.#heard.promise, silence]));
    } finally {
      clearTimeout(patience);
    }
  }

  forget(): void {
    this.#heard = Promise.withResolvers();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#watch[Symbol.asyncDispose]();
    await Deno.remove(join(this.path, ".."), { recursive: true });
  }
}

Deno.test("watch() hears of what others put, in streams old and new", async () => {
  await using watch = await Watch.begin();
  await using other = openDirectoryStore(watch.path);
  for (const key of ["tail/a/1", "tail/a/2", "tail/b/1"]) {
    watch.forget();
    await other.put(key, bytes("x"));
    await watch.heard();
  }
});

Deno.test("watch() goes on in a directory that was replaced", async () => {
  await using watch = await Watch.begin();
  await using other = openDirectoryStore(watch.path);
  await other.put("tail/a/1", bytes("x"));
  await watch.heard();
  watch.forget();
  await Deno.remove(join(watch.path, "tail"), { recursive: true });
  await watch.heard();
  watch.forget();
  await other.put("tail/a/2", bytes("x"));
  await watch.heard();
});

Deno.test("watch() hears of a stream whose directory was removed with its last object", async () => {
  await using watch = await Watch.begin();
  await using other = openDirectoryStore(watch.path);
  await other.put("tail/a/1", bytes("x"));
  await watch.heard();
  await other.delete(["tail/a/1"]);
  await assert.rejects(Deno.stat(join(watch.path, "tail", "a")), Deno.errors.NotFound);
  watch.forget();
  await other.put("tail/a/2", bytes("x"));
  await watch.heard();
});

Deno.test("watch() survives names that are not UTF-8", async () => {
  await using watch = await Watch.begin();
  const touch = new Deno.Command("bash", {
    args: ["-c", "touch $'\\xff'"],
    cwd: join(watch.path, "tail"),
  });
  assert.ok((await touch.output()).success);
  await watch.heard();
  watch.forget();
  await using other = openDirectoryStore(watch.path);
  await other.put("tail/a/1", bytes("x"));
  await watch.heard();
});

Deno.test("watch() waits for a directory that cannot be there yet", async () => {
  const parent = await Deno.makeTempDir({ prefix: "feedsync watch " });
  await Deno.writeTextFile(join(parent, "store"), "in the way");
  await using watch = new Watch(join(parent, "store"));
  await watch.time.pass(60_000);
  await Deno.remove(join(parent, "store"));
  await watch.heard();
});
