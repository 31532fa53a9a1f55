/**
 * Groups of the system.
 *
 * @module
 */
import { ConfigError, messageOf } from "../errors.ts";

const GROUPS = "/etc/group";

/**
 * The number of a group, given by name or number.
 *
 * @throws {ConfigError} when there is none with this name.
 */
export async function groupId(group: string): Promise<number> {
  if (/^\d+$/.test(group)) return Number(group);
  const fields = (await readGroups()).split("\n").map((line) => line.split(":"));
  const found = fields.find(([name]) => name === group);
  if (found) return Number(found[2]);
  throw new ConfigError(`Cannot use 'api.group': there is no group ${JSON.stringify(group)}`);
}

async function readGroups(): Promise<string> {
  try {
    return await Deno.readTextFile(GROUPS);
  } catch (cause) {
    throw new ConfigError(
      `Cannot use 'api.group': reading ${GROUPS} failed (${
        messageOf(cause)
      }); give the group's number`,
      { cause },
    );
  }
}
