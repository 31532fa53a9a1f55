/**
 * Backs a state up while it is in use.
 *
 * @module
 */
import { DatabaseSync } from "node:sqlite";
import { linkDurably, writeDurably } from "../base/durable_file.ts";
import { FeedSyncError, messageOf, StateError } from "../errors.ts";
import { BUSY_TIMEOUT_MS } from "./database.ts";
import { type StateSummary, summarize } from "./summary.ts";
import { guarded } from "./sqlite_errors.ts";
import { checkWhole } from "./whole.ts";

/** Feeds may be private. */
const MODE = 0o600;

/**
 * Writes what is in the state at `path` now to the new file `to`, which is complete, or not there:
 * before, it has another name. Resolves to what is in it.
 *
 * @throws {StateError} when the state cannot be read, or the disk is full.
 * @throws {FeedSyncError} when the file is there, or cannot be written.
 */
export async function backUp(path: string, to: string): Promise<StateSummary> {
  checkWhole(path);
  const unfinished = `${to}.${crypto.randomUUID().slice(0, 8)}.unfinished`;
  try {
    await refuseIfThere(to);
    await writeDurably(unfinished, new Uint8Array(), { mode: MODE });
    try {
      copyInto(path, unfinished);
      using file = await Deno.open(unfinished, { write: true });
      await file.sync();
      const summary = summarize(unfinished);
      await linkDurably(unfinished, to);
      return { ...summary, path: to };
    } finally {
      await Deno.remove(unfinished);
    }
  } catch (cause) {
    if (cause instanceof StateError) throw cause;
    const reason = cause instanceof Deno.errors.AlreadyExists
      ? "that file is there; choose another one"
      : messageOf(cause);
    throw new FeedSyncError(`Cannot back up the state ${path} to ${to}: ${reason}`, { cause });
  }
}

/** It would be noticed at the end, too, when all the work is done. */
async function refuseIfThere(path: string): Promise<void> {
  const found = await Deno.lstat(path).catch((error) => {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  });
  if (found) throw new Deno.errors.AlreadyExists(path);
}

/** Copies one moment, whatever others write: all in one transaction, which does not hold them up. */
function copyInto(path: string, empty: string): void {
  guarded(() => {
    // Not read-only: where nobody else uses the state, that would leave an empty log beside it.
    using db = new DatabaseSync(path, { timeout: BUSY_TIMEOUT_MS });
    db.prepare("VACUUM INTO ?").run(empty);
  }, { action: "back up", path });
}
