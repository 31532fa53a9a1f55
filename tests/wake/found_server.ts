/**
 * Servers that find each other in one store.
 *
 * @module
 */
import assert from "node:assert/strict";
import { setImmediate } from "node:timers/promises";
import { systemEnvironment } from "../../lib/base/environment.ts";
import { resolveConfig } from "../../lib/config/resolve.ts";
import { Connection } from "../../lib/connection.ts";
import type { Envelope } from "../../lib/log/encryption/envelope.ts";
import { watch } from "../../lib/watch.ts";
import type { Config, WakeConfig } from "../../mod.ts";
import type { MemoryStore } from "../memory_store.ts";
import { freeAddress } from "../servers/ports.ts";

/** The secret that all servers have. */
export const SECRET = `whsec_${btoa("a secret that all servers have")}`;

/** Options of {@linkcode FoundServer.start}. */
export interface FoundServerOptions extends Omit<Config, "wake"> {
  readonly server: string;
  readonly wake?: WakeConfig;
  readonly envelope?: Envelope;
}

/** A server that watches, advertises its address, and finds its peers by itself. */
export class FoundServer implements AsyncDisposable {
  /** What it received. */
  readonly contents: unknown[] = [];
  readonly connection: Connection;
  readonly origin: string;
  #isClosed = false;

  private constructor(connection: Connection, origin: string) {
    this.connection = connection;
    this.origin = origin;
  }

  /** Starts a server; resolves when its first poll is over. */
  static async start(store: MemoryStore, options: FoundServerOptions): Promise<FoundServer> {
    const { envelope, wake, ...config } = options;
    const listen = freeAddress(), origin = `http://${listen}`;
    const resolved = resolveConfig({
      poll: "1h",
      ...config,
      wake: { secret: SECRET, listen, advertise: origin, peers: "auto", ...wake },
    });
    const connection = new Connection(resolved, store, {
      environment: systemEnvironment,
      envelope,
    });
    const started = new FoundServer(connection, origin);
    const watcher = watch(connection, ({ content }) => void started.contents.push(content));
    await watcher.poll();
    return started;
  }

  /** Keys of its presence. */
  presences(store: MemoryStore): string[] {
    return [...store.objects.keys()].filter((key) =>
      key.startsWith(`present/${this.connection.stream}/`)
    );
  }

  async close(): Promise<void> {
    if (!this.#isClosed) await this.connection.close();
    this.#isClosed = true;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/** Waits until `condition` holds; rejects after 10 seconds. */
export async function until(condition: () => boolean): Promise<void> {
  const end = performance.now() + 10_000;
  while (!condition()) {
    assert.ok(performance.now() < end, `It never holds that ${condition}`);
    await setImmediate();
  }
}
