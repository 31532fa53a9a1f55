import assert from "node:assert/strict";
import { Consumers } from "../../lib/consumers/consumers.ts";
import type { ConsumerLine } from "../../lib/consumers/consumer.ts";
import { publish } from "../../lib/publish.ts";
import { Fleet, survivingState, texts, urlOf } from "../fixture.ts";

/** A server with consumers, beside one that publishes. */
class Setting implements AsyncDisposable {
  readonly fleet = new Fleet();
  readonly state = survivingState("web-2", this.fleet);
  readonly publisher = this.fleet.server("web-1");
  readonly server = this.fleet.server("web-2", { state: this.state });
  readonly consumers: Consumers = new Consumers(this.server);
  readonly received = this.fleet.watch(this.server);

  async publish(...contents: string[]): Promise<void> {
    await this.fleet.publish(this.publisher, ...contents);
    await this.fleet.time.run(this.received.watcher.poll());
  }

  read(name: string, options = {}): Promise<ConsumerLine[]> {
    return this.fleet.time.run(this.consumers.read(name, options));
  }

  async contents(name: string, options = {}): Promise<unknown[]> {
    return (await this.read(name, options)).map(({ update, gap }) => update?.content ?? gap);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.fleet.time.run(this.consumers.close());
    await this.fleet.time.run(this.received.watcher.close());
    await this.fleet[Symbol.asyncDispose]();
  }
}

Deno.test("a consumer is handed what it has not acknowledged, again and again", async () => {
  await using setting = new Setting();
  const { consumers } = setting;
  await setting.publish("before");
  consumers.put("app", { from: "now" });
  assert.deepEqual(await setting.contents("app"), []);
  await setting.publish(...texts("a", 3));
  const lines = await setting.read("app");
  assert.deepEqual(lines.map(({ update }) => update!.content), ["a1", "a2", "a3"]);
  assert.deepEqual(await setting.contents("app"), ["a1", "a2", "a3"]);
  consumers.ack("app", lines[1].cursor);
  assert.deepEqual(await setting.contents("app"), ["a3"]);
  consumers.ack("app", lines[0].cursor);
  assert.deepEqual(await setting.contents("app"), ["a3"]);
  consumers.ack("app", lines[2].cursor);
  assert.deepEqual(await setting.contents("app"), []);
});

Deno.test("a consumer that begins with the newest is handed each feed once, then what is new", async () => {
  await using setting = new Setting();
  const { consumers, fleet, publisher } = setting;
  await setting.publish(...texts("a", 20));
  await fleet.time.run(publish(publisher, { url: urlOf("a1"), content: "newer" }));
  await setting.publish();
  consumers.put("app", { from: "newest" });
  await setting.publish("b1");
  const seen: unknown[] = [];
  for (;;) {
    const lines = await setting.read("app", { limit: 7 });
    if (lines.length === 0) break;
    seen.push(...lines.map(({ update }) => update!.content));
    consumers.ack("app", lines.at(-1)!.cursor);
  }
  assert.deepEqual(seen.toSorted(), ["newer", ...texts("a", 19, 2), "b1"].toSorted());
  assert.equal(seen.at(-1), "b1");
});
