/**
 * A person, a server that watches and mirrors, and another server, all on the same feeds: whatever a
 * person saved is published or kept in the end, and nothing is published twice.
 *
 * `FEEDSYNC_TEST_ROUNDS` sets how many seeds are taken, `FEEDSYNC_TEST_SEED` repeats one.
 */
import assert from "node:assert/strict";
import { feedFileName } from "../../../lib/files/feed_names.ts";
import { watch } from "../../../lib/watch.ts";
import { Chance } from "../../sim/chance.ts";
import { Scene, type Server } from "../servers.ts";

const ROUNDS = Number(Deno.env.get("FEEDSYNC_TEST_ROUNDS") ?? 4);
const SEED = Deno.env.get("FEEDSYNC_TEST_SEED");

const URLS = ["https://example.com/n1", "https://example.com/n2", "https://example.com/n3"];

/** The person's and the other server's files, and what runs beside them. */
class Play {
  readonly #chance: Chance;
  readonly #scene: Scene;
  /** What the person saved, and has not seen before saving something else. */
  readonly saved = new Set<string>();
  /** All that was ever saved or published. */
  readonly written = new Set<unknown>();
  #server: Server | undefined;
  #starts = 0;

  constructor(chance: Chance, scene: Scene) {
    this.#chance = chance;
    this.#scene = scene;
  }

  /** Does one of the things that happen. */
  async act(): Promise<void> {
    const url = this.#chance.pick(URLS);
    const acts = [
      () => this.#save(url),
      () => this.#save(url),
      () => this.#publish(url),
      () => this.#publish(url),
      async () => void await this.#server?.poll(),
      async () => void await this.#server?.files.scan(),
      () => this.restart(),
    ];
    await this.#chance.pick(acts)();
  }

  /** Starts the server, perhaps as one made anew. */
  async restart(): Promise<Server> {
    await this.stop();
    const isNew = this.#chance.happens(0.2);
    if (isNew) this.#starts++;
    return this.#server = await this.#scene.server(`web-${this.#starts}`, { mirrors: true });
  }

  /** Stops the server. */
  async stop(): Promise<void> {
    await this.#server?.[Symbol.asyncDispose]();
    this.#server = undefined;
  }

  async #save(url: string): Promise<void> {
    const text = `saved ${this.#chance.token()}`;
    const name = feedFileName(url);
    const before = await this.#scene.read(name).catch(() => undefined);
    // A person who saves over what is there has seen it: that may be gone.
    if (before !== undefined) this.saved.delete(before);
    this.saved.add(text);
    this.written.add(text);
    if (this.#chance.happens(0.5)) return await this.#scene.write(name, text);
    await Deno.writeTextFile(`${this.#scene.root}/beside`, text);
    await Deno.utime(`${this.#scene.root}/beside`, 1_000, 1_000);
    await Deno.rename(`${this.#scene.root}/beside`, this.#scene.path(name));
  }

  async #publish(url: string): Promise<void> {
    const content = `published ${this.#chance.token()}`;
    this.written.add(content);
    const ahead = this.#chance.pick([-60_000, 0, 0, 5_000, 60_000]);
    await this.#scene.publish({ url, content }, { ahead });
  }
}

async function play(seed: number): Promise<void> {
  const chance = new Chance(seed);
  await using scene = new Scene();
  const all: unknown[] = [];
  const actor = new Play(chance, scene);
  try {
    for (let i = 0; i < 25; i++) await actor.act();
    const server = await actor.restart();
    for (let i = 0; i < 2; i++) {
      await server.poll();
      await server.scan();
    }
  } finally {
    await actor.stop();
  }
  await using reader = await scene.server("reader", { watches: false });
  await using watcher = watch(reader.connection, ({ content }) => void all.push(content), {
    manual: true,
  });
  await watcher.poll();
  const here = await Promise.all(
    URLS.map((url) => scene.read(feedFileName(url)).catch(() => undefined)),
  );
  const known = new Set<unknown>([...all, ...await scene.kept(), ...here]);
  assert.deepEqual([...actor.saved].filter((text) => !known.has(text)), [], `lost, seed ${seed}`);
  const repeated = all.filter((content, i) => all.indexOf(content) < i);
  assert.deepEqual(repeated, [], `published again, seed ${seed}`);
  const unknown = all.filter((content) => !actor.written.has(content));
  assert.deepEqual(unknown, [], `never written, seed ${seed}`);
}

Deno.test("what a person saves in a directory that is mirrored to is published or kept", async () => {
  const newSeed = () => crypto.getRandomValues(new Uint32Array(1))[0];
  const seeds = SEED ? [Number(SEED)] : Array.from({ length: ROUNDS }, newSeed);
  for (const seed of seeds) await play(seed);
});
