/**
 * Gives the server of a state another name.
 *
 * @module
 */
import { tokenFile } from "../../api/token.ts";
import { linkDurably } from "../../base/durable_file.ts";
import { systemEnvironment } from "../../base/environment.ts";
import { defaultState, loadConfig } from "../../config/load.ts";
import { resolveConfig, type ResolvedConfig } from "../../config/resolve.ts";
import { SERVER_NAME } from "../../config/server_name.ts";
import { messageOf, StateError } from "../../errors.ts";
import { renameServer } from "../../publishing/new_stream.ts";
import { UsageError } from "../exit.ts";
import { configSources, logger } from "../settings.ts";
import { type ActionContext, openAlone } from "./context.ts";
import { queueText } from "./text.ts";

/** Renames the server, and the file if that is named after it. Again, it finishes what a crash left. */
export async function rename(
  { path, operand: server, args, settings, report }: ActionContext,
): Promise<void> {
  if (!SERVER_NAME.test(server)) {
    throw new UsageError(
      `Cannot call a server ${
        JSON.stringify(server)
      }: a name has 1 to 63 of a-z, 0-9, "." and "-", ` +
        "and begins with a letter or digit",
    );
  }
  const target = settings.isDefaultState ? defaultState(settings.directory, server) : path;
  await refuseOther(path, target);
  const { former, queued } = renameIn(path, server, resolveConfig(settings.config, settings));
  if (target !== path) await moveFile(path, target);
  await report(
    { state: target, server, former, queued },
    former === server
      ? `${server} is the name already, in ${target}`
      : `${former} is ${server} now, in ${target}: ${queueText(queued)}`,
  );
  // The flag may say how the server is started, or only whose state it was.
  const { config: { server: configured } } = await loadConfig({
    ...configSources(args),
    flags: {},
  });
  if ([configured, settings.config.server].includes(server)) return;
  logger.warn(
    "The server is still called {former} here: set 'server' to {server} in the configuration, or " +
      "rename the host, before feedsync starts again",
    { former: configured, server },
  );
}

function renameIn(
  path: string,
  server: string,
  config: ResolvedConfig,
): { readonly former: string; readonly queued: number } {
  using state = openAlone(path, config);
  const former = String(state.fact("server"));
  const parts = { state, includeOwn: config.includeOwn, environment: systemEnvironment };
  if (former !== server) renameServer(parts, server);
  return { former, queued: state.queued() };
}

/** Makes sure that no other state has the place of the renamed one. */
async function refuseOther(path: string, target: string): Promise<void> {
  if (target === path || !await isThere(target) || await isSameFile(path, target)) return;
  throw new StateError(
    `Cannot rename the state ${path}: there is a state ${target} already. If it was begun by mistake, ` +
      `and \`feedsync state show --state ${target}\` tells that nothing is queued in it, move it away and ` +
      "run this again",
  );
}

/** Moves the file of a state that nobody has open, and the token beside it. */
async function moveFile(path: string, target: string): Promise<void> {
  try {
    await moveOverNothing(path, target);
    const token = tokenFile(path);
    if (await isThere(token)) await moveOverNothing(token, tokenFile(target));
  } catch (cause) {
    throw new StateError(
      `Cannot move the renamed state ${path} to ${target}: ${
        messageOf(cause)
      }; move it there, or ` +
        "set 'state' to where it is",
      { cause },
    );
  }
  for (const lock of ["upload", "watch"]) {
    await Deno.remove(`${path}.${lock}.lock`).catch(() => {}); // Perhaps it was never needed.
  }
}

/** Moves a file; after a crash it may have both names. */
async function moveOverNothing(from: string, to: string): Promise<void> {
  try {
    await linkDurably(from, to);
  } catch (error) {
    if (!(error instanceof Deno.errors.AlreadyExists && await isSameFile(from, to))) throw error;
  }
  await Deno.remove(from);
}

async function isThere(path: string): Promise<boolean> {
  return await Deno.lstat(path).then(() => true, () => false);
}

async function isSameFile(one: string, other: string): Promise<boolean> {
  const [a, b] = await Promise.all([Deno.stat(one), Deno.stat(other)]);
  return a.ino !== null && a.dev === b.dev && a.ino === b.ino;
}
