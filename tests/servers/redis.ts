/**
 * Redis, for comparisons.
 *
 * @module
 */
import { freePort } from "./ports.ts";
import { startServer } from "./process.ts";

/** When what is in the append-only file is synced to the disk. */
export type Appendfsync = "always" | "everysec";

/** A server that runs. */
export interface RedisServer extends AsyncDisposable {
  /** Its URL. */
  readonly url: string;
}

/** Starts a server that keeps an append-only file in `directory`. */
export async function startRedis(
  directory: string,
  appendfsync: Appendfsync,
): Promise<RedisServer> {
  const port = freePort();
  const settings = {
    port,
    bind: "127.0.0.1",
    dir: directory,
    save: "",
    appendonly: "yes",
    appendfsync,
  };
  const args = Object.entries(settings).flatMap(([key, value]) => [`--${key}`, String(value)]);
  const running = await startServer("redis-server", args, "Ready to accept connections");
  return { url: `redis://127.0.0.1:${port}`, ...running };
}
