import type { Config } from "../lib/config/config.ts";
import { resolveConfig } from "../lib/config/resolve.ts";
import { Connection } from "../lib/connection.ts";
import { BucketLog } from "../lib/log/bucket_log.ts";
import { type Envelope, plainEnvelope } from "../lib/log/encryption/envelope.ts";
import { decodeBody, encodeBody, updateLine } from "../lib/log/codec.ts";
import { type ObjectName, objectName, parseKey } from "../lib/log/names.ts";
import { publish } from "../lib/publish.ts";
import type { AcceptContext } from "../lib/publishing/accept.ts";
import type { Environment } from "../lib/base/environment.ts";
import { State } from "../lib/state/state.ts";
import type { ObjectStore } from "../lib/stores/store.ts";
import type { Gap, Update } from "../lib/update.ts";
import type { Watcher } from "../lib/reading/watcher.ts";
import { watch } from "../lib/watch.ts";
import { MemoryStore } from "./memory_store.ts";
import { guardState } from "./sim/guarded_state.ts";
import { VirtualTime } from "./virtual_time.ts";

/** Servers around one store in memory, in virtual time. */
export class Fleet implements AsyncDisposable {
  readonly time = new VirtualTime();
  readonly store = new MemoryStore(this.time.clock);
  readonly #open = new Set<Connection>();
  readonly #ends: (() => void)[] = [];

  /** Connects a server; `state`: keeps its state in that database, else in memory. */
  server(
    name: string,
    { store = this.store, state, envelope, ...config }: Omit<Config, "store" | "state"> & {
      store?: ObjectStore;
      state?: State;
      envelope?: Envelope;
    } = {},
  ): Connection {
    const resolved = resolveConfig({ ...config, server: name, state: ":memory:" });
    const connection = new Connection(resolved, store, {
      environment: this.time,
      state,
      envelope: envelope && this.#holdTime(envelope),
    });
    this.#open.add(connection);
    return connection;
  }

  /** Publishes one update after the other, with the URLs `https://example.com/<content>`. */
  async publish(connection: Connection, ...contents: string[]): Promise<void> {
    for (const content of contents) {
      await this.time.run(publish(connection, { url: urlOf(content), content }));
    }
  }

  /** A watcher that polls when it is told, with what it received. */
  watch(connection: Connection): Received {
    return new Received(connection);
  }

  /** Calls `end` when all connections are closed. */
  atEnd(end: () => void): void {
    this.#ends.push(end);
  }

  /** Keys in the bucket. */
  keys(prefix = ""): string[] {
    return [...this.store.objects.keys()].filter((key) => key.startsWith(prefix)).sort();
  }

  /** Puts a well-formed object of another writer into the bucket. */
  async forge(
    { envelope = plainEnvelope, ...parts }: Pick<ObjectName, "kind" | "stream"> & {
      first: number;
      last: number;
      writer?: string;
      envelope?: Envelope;
    },
    content: (seq: number) => string,
    url: (seq: number) => string = (seq) => urlOf(content(seq)),
  ): Promise<string> {
    const name = objectName({ writer: "zzzzzzzz", ...parts });
    const lines: string[] = [];
    for (let seq = parts.first; seq <= parts.last; seq++) {
      const text = content(seq);
      const body = `"content":${JSON.stringify(text)},"metadata":{}`;
      const id = crypto.randomUUID();
      lines.push(updateLine({ id, url: url(seq), time: this.time.clock.now(), body }, seq));
    }
    const time = new Date(this.time.clock.now()).toISOString();
    const body = await envelope.encrypt(name, encodeBody(name, lines, { time }));
    await this.store.put(name.key, body);
    return name.key;
  }

  /** What is in the bucket. */
  get log(): BucketLog {
    return new BucketLog(this.store, { environment: this.time });
  }

  /** The updates in an object. */
  read(key: string) {
    return decodeBody(parseKey(key)!, this.store.objects.get(key)!.body);
  }

  /** Encryption takes no time here. */
  #holdTime(envelope: Envelope): Envelope {
    return {
      get revision() {
        return envelope.revision;
      },
      readsPlain: envelope.readsPlain,
      encrypt: (...args) => this.time.hold(() => envelope.encrypt(...args)),
      decrypt: (...args) => this.time.hold(() => envelope.decrypt(...args)),
      isCurrent: (...args) => envelope.isCurrent(...args),
      digests: (text) => this.time.hold(() => envelope.digests(text)),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const connection of this.#open) await this.time.run(connection.close());
    for (const end of this.#ends) end();
  }
}

/** A manual watcher and what arrived at it. */
export class Received implements AsyncDisposable {
  readonly updates: Update[] = [];
  readonly gaps: Gap[] = [];
  readonly watcher: Watcher;

  constructor(connection: Connection) {
    this.watcher = watch(connection, (update) => void this.updates.push(update), {
      manual: true,
      onGap: (gap) => void this.gaps.push(gap),
    });
  }

  /** The contents, in the order of their arrival. */
  get contents(): unknown[] {
    return this.updates.map(({ content }) => content);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.watcher.close();
  }
}

/** The URL that stands for a content in these tests. */
export function urlOf(content: string): string {
  return `https://example.com/${encodeURI(content)}`;
}

/** The texts `<prefix>1` to `<prefix><count>`. */
export function texts(prefix: string, count: number, from = 1): string[] {
  return Array.from({ length: count }, (_, i) => `${prefix}${from + i}`);
}

/** What accepts updates into a state. */
export function acceptInto(state: State, environment: Environment): AcceptContext {
  const store = new MemoryStore(environment.clock);
  return { state, log: new BucketLog(store, { environment, memory: state }), environment };
}

/**
 * A state whose database outlives its connections, as a file does; the fleet ends it. `point` is told of
 * each call, such as `ownStream.load`, and of the begin and the end of a `transaction` (`committed`); what it
 * throws fails the call.
 */
export function survivingState(
  server: string,
  fleet: Fleet,
  point: (call: string) => void = () => {},
): State {
  const state = new State(":memory:", { server, store: fleet.store.url }, fleet.time.random);
  fleet.atEnd(() => state[Symbol.dispose]());
  return guardState(state, { point, committed() {}, sync: () => state.sync() });
}
