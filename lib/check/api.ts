/**
 * Checks the local API: where it listens, its token, and its group.
 *
 * The API is a floor above, and its modules are loaded only if it is configured.
 *
 * @module
 */
import { accessSync, constants } from "node:fs";
import { dirname } from "node:path";
import { withDeadline } from "../base/deadline.ts";
import { type ResolvedApi, socketPath } from "../config/api.ts";
import { ConfigError, messageOf } from "../errors.ts";
import { isLocked } from "../state/lock.ts";
import { type Finding, ok, unchecked, warning, wrong } from "./finding.ts";
import type { Subject } from "./subject.ts";

/** Time limit for the answer of whoever listens there already. */
const TIMEOUT_MS = 2_000;

/** Others than the owner and the group of a file. */
const OTHERS = 0o007;

/** Checks the API, if it is configured. */
export async function* checkApi(subject: Subject): AsyncIterable<Finding> {
  const { config: { api } } = subject;
  if (!api) return;
  const path = socketPath(api.listen);
  yield await (path === undefined ? aboutPort(api.listen, subject) : aboutSocket(path, subject));
  let gid: number | undefined;
  try {
    const { groupId } = await import("../api/group.ts");
    gid = api.group === undefined ? undefined : await groupId(api.group);
  } catch (error) {
    yield wrong(error as Error);
  }
  yield await aboutToken(api, { subject, gid });
}

/** Whether the API can listen, or does. */
async function aboutPort(listen: string, subject: Subject): Promise<Finding> {
  const { addressIn } = await import("../api/listen.ts");
  const address = addressIn(listen);
  try {
    Deno.listen(address).close();
    return ok(`The API can listen at ${listen}`);
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) {
      return unchecked("where the API listens", "it needs --allow-net for that address");
    }
    if (!(error instanceof Deno.errors.AddrInUse)) return notListening(listen, messageOf(error));
  }
  if (!await isServer(address, subject)) return notListening(listen, "another program does");
  return isWatched(subject)
    ? ok(`The API listens at ${listen}`)
    : notListening(listen, "another server of feedsync does");
}

async function aboutSocket(path: string, subject: Subject): Promise<Finding> {
  const listen = `unix:${path}`;
  const { isUsed } = await import("../api/listen.ts");
  const info = await Deno.lstat(path).catch(() => undefined);
  if (info && !info.isSocket) return notListening(listen, "there is a file that is no socket");
  if (info && await isUsed(path)) {
    return isWatched(subject)
      ? ok(`The API listens at ${listen}`)
      : notListening(listen, "another process does");
  }
  try {
    accessSync(dirname(path), constants.W_OK | constants.X_OK);
    return ok(`The API can listen at ${listen}`);
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) {
      return unchecked("where the API listens", "it needs --allow-sys=uid,gid");
    }
    return notListening(listen, `nothing can be made in ${dirname(path)}`);
  }
}

function notListening(listen: string, why: string): Finding {
  const error = new ConfigError(`Cannot listen at ${listen} for the API: ${why}`);
  return wrong(error, "Free it, or set another 'api.listen'");
}

/** Whether a watcher uses the state of this server: then it has the API, too. */
function isWatched({ config: { state } }: Subject): boolean {
  return isLocked(`${state}.watch.lock`);
}

/** Whether who listens there is feedsync, which says so in every answer. */
async function isServer(
  { hostname, port }: { readonly hostname: string; readonly port: number },
  { environment: { clock }, signal }: Subject,
): Promise<boolean> {
  const host = hostname.includes(":") ? `[${hostname}]` : hostname;
  try {
    const ask = (signal: AbortSignal) => fetch(`http://${host}:${port}/livez`, { signal });
    const answer = await withDeadline(ask, { clock, timeoutMs: TIMEOUT_MS, signal });
    await answer.body?.cancel();
    return answer.headers.has("feedsync-version");
  } catch {
    signal.throwIfAborted();
    return false;
  }
}

async function aboutToken(
  { token, listen, group }: ResolvedApi,
  { subject, gid }: { readonly subject: Subject; readonly gid: number | undefined },
): Promise<Finding> {
  const { state } = subject.config;
  if (token === false && socketPath(listen) !== undefined) {
    return ok("Who may use the socket of the API needs no token");
  }
  if (token === false) {
    const what = "The API requires no token: every user of this machine may publish and receive";
    return warning(
      what,
      "Remove 'api.token', then a random one is made in a file beside the state",
    );
  }
  if (token !== undefined) return ok("The token of the API is in the configuration");
  const { openToken, tokenFile } = await import("../api/token.ts");
  const path = tokenFile(state);
  const info = await Deno.stat(path).catch(() => undefined);
  if (!info && state !== ":memory:") {
    return ok(`There is no token for the API yet: ${path} is made at the first start`);
  }
  try {
    await openToken({ state, gid });
  } catch (error) {
    return wrong(error as Error);
  }
  if ((info?.mode ?? 0) & OTHERS) {
    const what = `Every user of this machine may read the token of the API, ${path}`;
    return warning(what, `Run: chmod o= ${path}. To be sure, remove it: a new one is made`);
  }
  if (gid !== undefined && info?.gid !== gid) {
    const what = `The group ${group} cannot read the token of the API, ${path}`;
    return warning(what, `Run: chgrp ${group} ${path}`);
  }
  return ok(`The token of the API is in ${path}`);
}
