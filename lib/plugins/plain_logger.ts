/**
 * Logging finished messages.
 *
 * @module
 */
import { getLogger } from "@logtape/logtape";
import type { PluginLogger } from "../plugin.ts";

/** Logs messages as they are: LogTape would treat braces in a plain string as placeholders. */
export function plainLogger(category: readonly [string, ...string[]]): PluginLogger {
  const logger = getLogger(category);
  return {
    debug: (message) => logger.debug`${message}`,
    info: (message) => logger.info`${message}`,
    warn: (message) => logger.warn`${message}`,
    error: (message) => logger.error`${message}`,
  };
}
