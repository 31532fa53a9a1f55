/**
 * Looks at a state without changing it, nor the files beside it.
 *
 * @module
 */
import { existsSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { pathToFileURL } from "node:url";
import { StateError } from "../errors.ts";
import { isLocked } from "./lock.ts";
import { checkReader, formatOf, NEWEST_FORMAT } from "./migrations.ts";
import type { KnownOwner } from "./owner.ts";
import { isUploading, QUEUED } from "./siblings.ts";
import { guarded, sqliteError } from "./sqlite_errors.ts";
import { checkWhole } from "./whole.ts";

/** What can be seen of a state. */
export interface StateView {
  /** Whom it belongs to. */
  readonly owner: KnownOwner;
  /** How many of its updates are not uploaded. */
  readonly queued: number;
  /** Whether the next process that opens it migrates it. */
  readonly isOutdated: boolean;
  /** Whether a process uploads from it. */
  readonly isUploading: boolean;
  /** Whether a process watches with it. */
  readonly isWatching: boolean;
}

/**
 * Looks at the state at `path`; undefined when there is none, or when it is empty.
 *
 * @throws {StateError} when it is damaged, a part of it is missing, or this version cannot use it.
 */
export function lookAtState(path: string): StateView | undefined {
  checkWhole(path);
  if (!existsSync(path)) return undefined;
  return guarded(() => {
    using db = openUnchanged(path);
    checkIntegrity(db, path);
    const format = formatOf(db, path);
    if (format === 0) return undefined;
    const { user_version: reader } = db.prepare("PRAGMA user_version").get()!;
    checkReader(Number(reader), path);
    return {
      owner: ownerIn(db),
      queued: Number(db.prepare(QUEUED).get()?.queued ?? 0),
      isOutdated: format < NEWEST_FORMAT,
      isUploading: isUploading(path),
      isWatching: isLocked(`${path}.watch.lock`),
    };
  }, { action: "open", path });
}

/**
 * Opens the database for reading. If there is no log, it is opened as one that nobody changes:
 * otherwise SQLite would make files beside it. After a crash it may make the index of the log anew.
 */
function openUnchanged(path: string): DatabaseSync {
  const hasLog = existsSync(`${path}-wal`) || existsSync(`${path}-shm`);
  if (hasLog) return new DatabaseSync(path, { readOnly: true, timeout: 5000 });
  const url = pathToFileURL(path);
  url.searchParams.set("immutable", "1");
  return new DatabaseSync(url, { readOnly: true });
}

function checkIntegrity(db: DatabaseSync, path: string): void {
  const [{ quick_check: found }] = db.prepare("PRAGMA quick_check(1)").all();
  if (found === "ok") return;
  throw sqliteError(new StateError(`database disk image is malformed: ${found}`), {
    action: "use",
    path,
  });
}

function ownerIn(db: DatabaseSync): KnownOwner {
  const facts = new Map(
    db.prepare("SELECT key, value FROM meta").all().map(({ key, value }) => [key, String(value)]),
  );
  return {
    server: facts.get("server"),
    store: facts.get("store"),
    service: facts.get("service"),
    hasReachedStore: facts.has("lastPoll") || facts.has("clockOffset"),
  };
}
