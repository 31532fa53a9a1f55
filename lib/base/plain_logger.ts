/**
 * Logging finished messages.
 *
 * @module
 */
import { getLogger } from "@logtape/logtape";

/** Logs finished messages; plugins know it as `PluginLogger`. */
type TextLogger = Readonly<
  Record<"debug" | "info" | "warn" | "error", (message: string) => void>
>;

/** Logs messages as they are: LogTape would treat braces in a plain string as placeholders. */
export function plainLogger(category: readonly [string, ...string[]]): TextLogger {
  const logger = getLogger(category);
  return {
    debug: (message) => logger.debug`${message}`,
    info: (message) => logger.info`${message}`,
    warn: (message) => logger.warn`${message}`,
    error: (message) => logger.error`${message}`,
  };
}
