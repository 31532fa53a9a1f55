/**
 * Connecting to a store.
 *
 * @module
 */
import { dirname } from "node:path";
import { ensureDir } from "@std/fs/ensure-dir";
import type { Config } from "./config/config.ts";
import { resolveConfig, type ResolvedConfig } from "./config/resolve.ts";
import { Connection, type FeedSync } from "./connection.ts";
import type { Envelope } from "./log/encryption/envelope.ts";
import { systemEnvironment } from "./base/environment.ts";
import { messageOf, StateError } from "./errors.ts";
import type { PluginEntries } from "./plugin.ts";
import { openStore } from "./stores/open.ts";

/** Options of {@linkcode connect}. */
export interface ConnectOptions {
  /** Where relative paths in the configuration start. @default the working directory */
  readonly directory?: string | undefined;
}

/** A {@linkcode Config} whose plugins have options that they take. */
export interface ConnectConfig<Inputs extends readonly unknown[] = readonly unknown[]>
  extends Omit<Config, "plugins"> {
  /** What is done with updates: {@linkcode watch} hands them to these plugins. @default {["log"]} */
  readonly plugins?: PluginEntries<Inputs> | undefined;
}

/**
 * Connects this server to a store. Nothing is requested from the store yet.
 *
 * Without `state` in the configuration the state is kept in memory: what is not uploaded when the
 * process ends is lost, updates that arrived are applied again at the next start, and each process
 * is a stream of its own in the bucket for two days. Give short-lived jobs a file.
 *
 * @example
 * ```ts
 * import { connect, publish } from "@feedsync/feedsync";
 *
 * const directory = await Deno.makeTempDir();
 * await using sync = await connect({ store: `file:${directory}`, server: "web-1" });
 * const receipt = await publish(sync, {
 *   url: "https://example.com/feed.xml",
 *   content: "<rss></rss>",
 * });
 * console.log(receipt.status); // "published"
 * ```
 *
 * @throws {ConfigError} when the configuration is wrong.
 * @throws {StateError} when the state file cannot be used, or belongs to another server or store.
 */
export async function connect<const Inputs extends readonly unknown[] = readonly unknown[]>(
  config: ConnectConfig<Inputs> = {},
  options: ConnectOptions = {},
): Promise<FeedSync> {
  const resolved = resolveConfig(config as Config, options);
  if (!resolved.enabled) return new Connection(resolved, undefined);
  if (resolved.state !== ":memory:") await ensureDirectory(resolved.state);
  const { directory, s3 } = resolved;
  const store = await openStore(resolved.store, s3, { directory, environment: systemEnvironment });
  try {
    const envelope = await openEnvelope(resolved, store.url);
    return new Connection(resolved, store, { envelope });
  } catch (error) {
    await store[Symbol.asyncDispose]();
    throw error;
  }
}

/** Those who do not encrypt never load what does. */
async function openEnvelope(
  { encryption }: ResolvedConfig,
  store: string,
): Promise<Envelope | undefined> {
  if (!encryption) return undefined;
  const { JweEnvelope } = await import("./log/encryption/jwe_envelope.ts");
  return await JweEnvelope.open(encryption, store);
}

async function ensureDirectory(path: string): Promise<void> {
  try {
    await ensureDir(dirname(path));
  } catch (cause) {
    throw new StateError(`Cannot make the directory of the state ${path}: ${messageOf(cause)}`, {
      cause,
    });
  }
}
