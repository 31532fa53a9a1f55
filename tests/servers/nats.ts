/**
 * NATS with JetStream, for comparisons.
 *
 * @module
 */
import { freePort } from "./ports.ts";
import { startServer } from "./process.ts";

/** A server that runs. */
export interface NatsServer extends AsyncDisposable {
  /** Its address. */
  readonly address: string;
}

/** Starts a server that keeps streams in `directory`. */
export async function startNats(directory: string): Promise<NatsServer> {
  const port = String(freePort());
  const args = ["--addr", "127.0.0.1", "--port", port, "--jetstream", "--store_dir", directory];
  const running = await startServer("nats-server", args, "Server is ready");
  return { address: `127.0.0.1:${port}`, ...running };
}
