/**
 * Other states in the directory of a new one that have queued updates. When a host is renamed, nobody opens its
 * former state any more.
 *
 * @module
 */
import { getLogger } from "@logtape/logtape";
import { basename, dirname, join } from "node:path";
import { isLocked } from "./lock.ts";
import { summarize } from "./summary.ts";

const logger = getLogger(["feedsync", "state"]);

/** A state that nobody uses now. */
export interface Sibling {
  readonly path: string;
  readonly server: string;
  /** How many of its updates are not uploaded. */
  readonly queued: number;
}

/** What waits in another state for its upload would wait for ever when its server was renamed. */
export function warnOfSiblings(path: string, server: string): void {
  for (const sibling of queuedSiblings(path)) {
    logger.warn(
      "Created a new state {path} for {server}, but {sibling} still holds {queued} of {former} " +
        "that no process is uploading: if this server was {former} before, set 'server' to " +
        "{former}, or upload them once with: feedsync watch --once --server {former} --state {sibling}",
      {
        path,
        server,
        sibling: sibling.path,
        queued: sibling.queued === 1 ? "1 update" : `${sibling.queued} updates`,
        former: sibling.server,
      },
    );
  }
}

/** The states beside the one at `path` that have queued updates, and no process that uploads them. */
export function queuedSiblings(path: string): Sibling[] {
  const directory = dirname(path);
  return namesIn(directory)
    .filter((name) => name.endsWith(".db") && name !== basename(path))
    .map((name) => join(directory, name))
    .filter((sibling) => !isUploading(sibling))
    .map(readCopy)
    .filter((sibling) => sibling !== undefined)
    .filter(({ queued }) => queued > 0);
}

/** Whether a process uploads from the state at `path`: then it holds this lock. */
export function isUploading(path: string): boolean {
  return isLocked(`${path}.upload.lock`);
}

function namesIn(directory: string): string[] {
  try {
    return [...Deno.readDirSync(directory)].map(({ name }) => name).sort();
  } catch {
    return []; // Perhaps this user may not read it.
  }
}

/**
 * Reads a copy: opening the state itself, even only to read it, would create files beside it, and move the
 * content of its log. Undefined when it is no state.
 */
function readCopy(path: string): Sibling | undefined {
  const copy = `${path}.looked-at-${crypto.randomUUID()}`;
  try {
    Deno.copyFileSync(path, copy);
    copyIfThere(`${path}-wal`, `${copy}-wal`);
    const { server, queued } = summarize(copy);
    return { path, server, queued };
  } catch {
    return undefined; // It is another program's, damaged, or this user may not read it.
  } finally {
    for (const part of ["", "-wal", "-shm"]) removeIfThere(copy + part);
  }
}

function copyIfThere(from: string, to: string): void {
  try {
    Deno.copyFileSync(from, to);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

function removeIfThere(path: string): void {
  try {
    Deno.removeSync(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
