/**
 * Settings of the commands that use a store.
 *
 * @module
 */
import { getLogger, type Logger } from "@logtape/logtape";
import { wrongFlags } from "../config/check.ts";
import type { Config } from "../config/config.ts";
import type { LogLevel } from "../config/core.ts";
import { type ConfigSources, loadConfig, type LoadedConfig } from "../config/load.ts";
import { configureLogging } from "./logging.ts";
import type { FeedSync } from "../connection.ts";
import { StateError } from "../errors.ts";
import type { Arguments } from "./command.ts";
import { UsageError } from "./exit.ts";

/** Logger of the commands. */
export const logger: Logger = getLogger(["feedsync", "cli"]);

/**
 * Loads the configuration with the common flags and `flags`, and configures logging.
 *
 * @throws {UsageError} when the value of a flag is wrong.
 * @throws {ConfigError} when the rest of the configuration is wrong.
 */
export async function loadSettings(args: Arguments, flags: Config = {}): Promise<LoadedConfig> {
  const loaded = await loadConfig(configSources(args, flags));
  configureLogging({ level: loaded.config.logLevel ?? "info", json: args.has("json") });
  for (const warning of loaded.warnings) logger.warn("{warning}", { warning });
  logger.debug("Configuration file: {file}", { file: loaded.file ?? "none" });
  return loaded;
}

/**
 * Where the configuration comes from, with the common flags and `flags`.
 *
 * @throws {UsageError} when the value of a flag is wrong.
 */
export function configSources(args: Arguments, flags: Config = {}): ConfigSources {
  const given = { ...commonFlags(args), ...flags };
  const wrong = wrongFlags(given);
  if (wrong.length > 0) throw new UsageError(wrong.join("; "));
  return {
    file: args.value("config"),
    flags: given,
    env: Deno.env.toObject(),
    cwd: Deno.cwd(),
  };
}

function commonFlags(args: Arguments): Config {
  return {
    server: args.value("server"),
    store: args.value("store"),
    state: args.value("state"),
    logLevel: logLevel(args),
  };
}

function logLevel(args: Arguments): LogLevel | undefined {
  if (args.has("verbose")) return "debug";
  return args.has("quiet") ? "warn" : undefined;
}

/**
 * Logs what new users may not expect: that feedsync is disabled, or uses a store on this machine.
 */
export function explainStore({ enabled, store }: FeedSync, { config }: LoadedConfig): void {
  if (!enabled) {
    logger.warn(
      'feedsync is disabled ("enabled": false in the configuration), so there is nothing to do',
    );
  } else if (config.store === undefined) {
    logger.info(
      "Using the store {store}, for this machine only; to share updates with other servers, give " +
        'all of them the same bucket: "store": "s3://bucket/prefix" in feedsync.json, or --store',
      { store },
    );
  }
}

/**
 * Makes sure that there is a state at `path`.
 *
 * @throws {StateError} when there is none.
 */
export async function requireState(path: string): Promise<void> {
  const problem = await Deno.stat(path).then(() => undefined, (error) => error);
  if (!(problem instanceof Deno.errors.NotFound)) return; // Opening it tells what else is wrong.
  throw new StateError(
    `There is no state ${path}: use the --config, --server and --state of feedsync watch`,
  );
}
