/**
 * Connects to a store.
 *
 * @module
 */
import { dirname } from "node:path";
import { ensureDir } from "@std/fs/ensure-dir";
import type { Config } from "./config/config.ts";
import { resolveConfig } from "./config/resolve.ts";
import { Connection, type FeedSync } from "./connection.ts";
import { openEnvelope } from "./log/encryption/open.ts";
import { systemEnvironment } from "./base/environment.ts";
import { messageOf, StateError } from "./errors.ts";
import type { PluginEntries } from "./plugin.ts";
import { openStore } from "./stores/open.ts";

/** Options of {@linkcode connect}. */
export interface ConnectOptions {
  /**
   * Directory from which relative paths in the configuration start. @default the working directory
   */
  readonly directory?: string | undefined;
}

/** A {@linkcode Config} with typed options of plugins. */
export interface ConnectConfig<Inputs extends readonly unknown[] = readonly unknown[]>
  extends Omit<Config, "plugins"> {
  /** The plugins to which {@linkcode watch} delivers updates. @default {["log"]} */
  readonly plugins?: PluginEntries<Inputs> | undefined;
}

/**
 * Connects this server to a store. No request is sent to the store yet.
 *
 * Without `state` in the configuration the state is kept in memory: updates that are not uploaded
 * when the process ends are lost, received updates are applied again at the next start, and each
 * process has its own stream in the bucket for two days. Give short-lived jobs a state file.
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
    const envelope = await openEnvelope(resolved.encryption, store.url);
    return new Connection(resolved, store, { envelope });
  } catch (error) {
    await store[Symbol.asyncDispose]();
    throw error;
  }
}

async function ensureDirectory(path: string): Promise<void> {
  try {
    await ensureDir(dirname(path));
  } catch (cause) {
    throw new StateError(`Cannot create the directory of the state ${path}: ${messageOf(cause)}`, {
      cause,
    });
  }
}
