/**
 * What the commands that work with a store have in common.
 *
 * @module
 */
import { getLogger, type Logger } from "@logtape/logtape";
import { wrongFlags } from "../config/check.ts";
import type { Config } from "../config/config.ts";
import type { LogLevel } from "../config/core.ts";
import { loadConfig, type LoadedConfig } from "../config/load.ts";
import { configureLogging } from "./logging.ts";
import type { FeedSync } from "../connection.ts";
import type { Arguments } from "./command.ts";
import { UsageError } from "./exit.ts";

/** The log of the commands. */
export const logger: Logger = getLogger(["feedsync", "cli"]);

/**
 * Loads the configuration, with what the common flags and `flags` say, and begins to log.
 *
 * @throws {UsageError} when the value of a flag is wrong.
 * @throws {ConfigError} when the rest of the configuration is wrong.
 */
export async function loadSettings(args: Arguments, flags: Config = {}): Promise<LoadedConfig> {
  const given = { ...commonFlags(args), ...flags };
  const wrong = wrongFlags(given);
  if (wrong.length > 0) throw new UsageError(wrong.join("; "));
  const loaded = await loadConfig({
    file: args.value("config"),
    flags: given,
    env: Deno.env.toObject(),
    cwd: Deno.cwd(),
  });
  configureLogging({ level: loaded.config.logLevel ?? "info", json: args.has("json") });
  for (const warning of loaded.warnings) logger.warn("{warning}", { warning });
  logger.debug("Configuration file: {file}", { file: loaded.file ?? "none" });
  return loaded;
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

/** Tells what a person who tries feedsync may not expect: that it is off, or for one machine. */
export function explainStore({ enabled, store }: FeedSync, { config }: LoadedConfig): void {
  if (!enabled) {
    logger.warn('Nothing is done: the configuration says "enabled": false');
  } else if (config.store === undefined) {
    logger.info(
      "Using the store {store}, for this machine only; to share updates with other servers, give " +
        'all of them the same bucket: "store": "s3://bucket/prefix" in feedsync.json, or --store',
      { store },
    );
  }
}
