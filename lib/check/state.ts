/**
 * Looks at the state file, its disk, and the states beside it.
 *
 * @module
 */
import { accessSync, constants, existsSync, statfsSync } from "node:fs";
import { dirname } from "node:path";
import { messageOf, StateError } from "../errors.ts";
import { QUEUED_SECONDS } from "../fleet/status/server_problems.ts";
import { counted, inWords } from "../fleet/status/words.ts";
import { damageError, findDamage } from "../state/integrity.ts";
import { isLocked } from "../state/lock.ts";
import { NEWEST_FORMAT } from "../state/migrations.ts";
import { checkOwner } from "../state/owner.ts";
import { isUploading, queuedSiblings } from "../state/siblings.ts";
import { readOwner, summarize } from "../state/summary.ts";
import { isThere } from "../state/unopened.ts";
import { type Finding, ok, unchecked, warning, wrong } from "./finding.ts";
import type { Subject } from "./subject.ts";

/** With less space, updates may soon be refused. */
const MIN_FREE_BYTES = 256 * 1024 * 1024;

/** Checks the state, without changing it. */
export function* checkState(subject: Subject): Iterable<Finding> {
  const { state: path } = subject.config;
  if (path === ":memory:") {
    const what = "The state is kept in memory: what is not uploaded when the process ends is lost";
    return yield warning(what, "Set 'state' to a file");
  }
  try {
    if (isThere(path)) yield* aboutState(path, subject);
    else yield ok(`There is no state yet: ${path} is made at the first start`);
  } catch (error) {
    yield wrong(error as Error);
  }
  yield* aboutDisk(path);
  for (const { path: sibling, server, queued } of queuedSiblings(path)) {
    const what = `No process uploads what is queued in ${sibling}: ${counted(queued, "update")} ` +
      `of ${server}`;
    const advice =
      `If this server was ${server} before, set 'server' to that, or upload them once ` +
      `with: feedsync watch --once --server ${server} --state ${sibling}`;
    yield warning(what, advice);
  }
}

function* aboutState(path: string, { config, store, environment }: Subject): Iterable<Finding> {
  const [damage] = findDamage(path);
  if (damage !== undefined) return yield wrong(damageError(path), damage);
  const { server, store: url, movedFrom } = config, known = readOwner(path);
  const owner = { server, store: store?.url ?? url, service: store?.service, movedFrom };
  try {
    checkOwner(path, owner, known);
  } catch (error) {
    yield wrong(error as Error);
  }
  const { queued, queuedSince, format } = summarize(path);
  const later = format < NEWEST_FORMAT ? ", the next start migrates it" : "";
  yield ok(
    `The state ${path} is whole, and belongs to ${known.server}; ${usersOf(path)} now${later}`,
  );
  if (queued > 0 && !isUploading(path)) {
    const what = `No process uploads what is queued in ${path}: ${counted(queued, "update")}`;
    return yield warning(what, "Start `feedsync watch`, or run it once with --once");
  }
  const queuedSeconds = (environment.clock.now() - (queuedSince ?? Infinity)) / 1000;
  if (queued === 0 || queuedSeconds < QUEUED_SECONDS) return;
  yield warning(
    `${counted(queued, "update")} queued in ${path}, the oldest for ${inWords(queuedSeconds)}, ` +
      "although a process uploads them",
    "See its log; it needs the right to write to the store",
  );
}

function usersOf(path: string): string {
  if (isLocked(`${path}.watch.lock`)) return "a watcher uses it";
  return isUploading(path) ? "a process uses it" : "nobody uses it";
}

/** Whether the file can be written, and grow. */
function* aboutDisk(path: string): Iterable<Finding> {
  let directory = dirname(path);
  while (!existsSync(directory) && directory !== dirname(directory)) directory = dirname(directory);
  try {
    accessSync(directory, constants.W_OK | constants.X_OK);
    if (existsSync(path)) accessSync(path, constants.R_OK | constants.W_OK);
  } catch (error) {
    const isForbidden = error instanceof Deno.errors.NotCapable;
    if (isForbidden) {
      yield unchecked("the rights to the state file", "it needs --allow-sys=uid,gid");
    } else yield wrong(unwritable(path));
  }
  try {
    const { bavail, bsize } = statfsSync(directory);
    const free = bavail * bsize, what = `The disk of the state has ${megabytes(free)} left`;
    if (free >= MIN_FREE_BYTES) yield ok(what);
    else yield warning(what, "Free some space: when it is full, updates are refused");
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) {
      yield unchecked("the disk of the state", "it needs --allow-sys=statfs");
    } else {
      yield warning(
        `The space on the disk of the state is unknown: ${messageOf(error)}`,
        "See `df`",
      );
    }
  }
}

function unwritable(path: string): StateError {
  return new StateError(
    `Cannot write to the state ${path}: this user may not; make file and directory writable`,
  );
}

function megabytes(bytes: number): string {
  return `${Math.floor(bytes / 1_000_000).toLocaleString("en")} MB`;
}
