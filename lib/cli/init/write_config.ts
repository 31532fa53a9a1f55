/**
 * Writes the configuration file.
 *
 * @module
 */
import { linkDurably, writeDurably } from "../../base/durable_file.ts";
import type { Config } from "../../config/config.ts";
import { ConfigError, messageOf } from "../../errors.ts";

/**
 * Writes a new file: whole or not at all, and never over another one.
 *
 * @throws {ConfigError} when it is there, or cannot be written.
 */
export async function writeConfig(path: string, config: Config): Promise<void> {
  const bytes = new TextEncoder().encode(JSON.stringify(config, null, 2) + "\n");
  const unfinished = `${path}.${crypto.randomUUID().slice(0, 8)}.unfinished`;
  try {
    await writeDurably(unfinished, bytes);
    try {
      await linkDurably(unfinished, path);
    } finally {
      await Deno.remove(unfinished);
    }
  } catch (cause) {
    throw new ConfigError(`Cannot write the configuration to ${path}: ${reasonOf(cause)}`, {
      cause,
    });
  }
}

function reasonOf(error: unknown): string {
  if (error instanceof Deno.errors.AlreadyExists) return "it has been made meanwhile";
  if (error instanceof Deno.errors.NotFound) return "its directory does not exist";
  return messageOf(error);
}
