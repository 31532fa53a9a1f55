import type { Config } from "../../lib/config/config.ts";
import type { Connection } from "../../lib/connection.ts";
import type {
  ConsumerLine,
  ConsumerReadOptions,
  InboxOptions,
} from "../../lib/consumers/consumer.ts";
import { Consumers } from "../../lib/consumers/consumers.ts";
import { publish } from "../../lib/publish.ts";
import type { State } from "../../lib/state/state.ts";
import type { UpdateInput } from "../../lib/update.ts";
import { Fleet, type Received, survivingState, urlOf } from "../fixture.ts";

/** A server with consumers, beside one that publishes. */
export class Setting implements AsyncDisposable {
  readonly fleet = new Fleet();
  readonly state: State;
  /** Publishes. */
  readonly publisher = this.fleet.server("web-1");
  /** Has the consumers. */
  readonly server: Connection;
  readonly consumers: Consumers;
  readonly received: Received;

  constructor({ inbox, config, point }: {
    readonly inbox?: InboxOptions;
    readonly config?: Omit<Config, "store" | "state">;
    readonly point?: (call: string) => void;
  } = {}) {
    this.state = survivingState("web-2", this.fleet, point);
    this.server = this.fleet.server("web-2", { ...config, state: this.state });
    this.consumers = new Consumers(this.server, inbox);
    this.received = this.fleet.watch(this.server);
  }

  /** Publishes on the other server, with the URLs `https://example.com/<content>`, and polls. */
  async publish(...contents: string[]): Promise<void> {
    await this.fleet.publish(this.publisher, ...contents);
    await this.poll();
  }

  /** Publishes many updates at once on the other server, and polls. */
  async publishMany(contents: readonly string[]): Promise<void> {
    const updates = contents.map((content) => ({ url: urlOf(content.slice(0, 20)), content }));
    await this.run(publish(this.publisher, updates));
    await this.poll();
  }

  /** Publishes one update on the other server. */
  async publishUpdate(update: Partial<UpdateInput>): Promise<void> {
    const url = update.url ?? urlOf("feed");
    await this.run(publish(this.publisher, { ...update, url } as UpdateInput));
  }

  async poll(): Promise<void> {
    await this.run(this.received.watcher.poll());
  }

  run<T>(promise: Promise<T>): Promise<T> {
    return this.fleet.time.run(promise);
  }

  read(name = "app", options: ConsumerReadOptions = {}): Promise<ConsumerLine[]> {
    return this.run(this.consumers.read(name, options));
  }

  /** The contents and gaps that are read, without acknowledging them. */
  async contents(name = "app", options: ConsumerReadOptions = {}): Promise<unknown[]> {
    return (await this.read(name, options)).map(contentOf);
  }

  /** Reads and acknowledges all that waits; returns the contents and gaps. */
  async drain(name = "app", options: ConsumerReadOptions = {}): Promise<unknown[]> {
    const all: unknown[] = [];
    for (;;) {
      const lines = await this.read(name, options);
      if (lines.length === 0) return all;
      all.push(...lines.map(contentOf));
      this.consumers.ack(name, lines.at(-1)!.cursor);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.run(this.consumers.close());
    await this.run(this.received.watcher.close());
    await this.fleet[Symbol.asyncDispose]();
  }
}

/** The content of an update, or its removal, or a gap. */
export function contentOf({ update, gap }: ConsumerLine): unknown {
  return update ? update.content ?? "removed" : gap;
}
