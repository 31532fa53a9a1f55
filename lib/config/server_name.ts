/**
 * Validates and derives the names of servers.
 *
 * @module
 */
import { ConfigError, messageOf } from "../errors.ts";

/** Form of a server name: 1 to 63 characters. */
export const SERVER_NAME: RegExp = /^[a-z0-9][a-z0-9.-]{0,62}$/;

/**
 * The machine's host name, made valid as the name of a server: lower case, other characters as `-`.
 *
 * @throws {ConfigError} when the host name cannot be read or has no valid character.
 */
export function defaultServerName(hostName: () => string = Deno.hostname): string {
  const name = validName(readName(hostName));
  if (name !== "") return name;
  throw new ConfigError("Cannot name this server after its host name: set 'server'");
}

function readName(hostName: () => string): string {
  try {
    return hostName();
  } catch (cause) {
    const reason = messageOf(cause);
    throw new ConfigError(`Cannot read the host name; set 'server' instead: ${reason}`, { cause });
  }
}

function validName(text: string): string {
  const replaced = text.toLowerCase().replace(/[^a-z0-9.-]/g, "-");
  return replaced.replace(/^[^a-z0-9]+/, "").slice(0, 63);
}
