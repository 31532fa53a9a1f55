/**
 * What a state holds, told without opening it as its server does.
 *
 * @module
 */
import type { DatabaseSync, SQLInputValue } from "node:sqlite";
import { hasUploaded, type KnownOwner } from "./owner.ts";
import { sizeOf } from "./whole.ts";
import { lookInto } from "./unopened.ts";

/** A stream that waits for an object that cannot be read. */
export interface HeldStream {
  readonly stream: string;
  /** The cursor: the update after it cannot be read. */
  readonly after: number;
  /** Since when, in milliseconds since 1970; undefined when that is not noted. */
  readonly since: number | undefined;
  /** Which key or version is missing; undefined when something else is wrong. */
  readonly reason: string | undefined;
}

/** What a state holds. */
export interface StateSummary {
  readonly path: string;
  readonly bytes: number;
  /** Of the log beside it, while a process has it open, or after a crash. */
  readonly logBytes: number;
  readonly server: string;
  readonly store: string | undefined;
  /** The service that has the store's bucket. */
  readonly service: string | undefined;
  readonly format: number;
  /** The format that a program must know to open it. */
  readonly reader: number;
  readonly stream: string;
  /** The last seq of the stream that is known to be in the bucket. */
  readonly uploaded: number;
  /** How many updates wait for their upload. */
  readonly queued: number;
  /** Time of the oldest of them, in milliseconds since 1970. */
  readonly queuedSince: number | undefined;
  /** How many streams have been read. */
  readonly cursors: number;
  /** How many of them reach further than they have been read. */
  readonly unread: number;
  readonly held: readonly HeldStream[];
  readonly deadLetters: number;
}

const PUBLISHER = `SELECT stream, base, uploaded,
  coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'outbox'), 0) - uploaded AS queued,
  (SELECT time FROM outbox WHERE row = uploaded + 1) AS queuedSince
  FROM publisher`;

/**
 * Reads whom the state at `path` belongs to.
 *
 * @throws {StateError} when there is none, it cannot be read, or only a newer version can read it.
 */
export function readOwner(path: string): KnownOwner {
  return lookInto(path, ({ db }) => {
    const { server, store, service, lastPoll, clockOffset } = factsIn(db);
    const hasReachedStore = lastPoll !== undefined || clockOffset !== undefined || hasUploaded(db);
    return { server, store, service, hasReachedStore };
  });
}

/**
 * Reads what the state at `path` holds, of whichever version.
 *
 * @throws {StateError} when there is none, it cannot be read, or only a newer version can read it.
 */
export function summarize(path: string): StateSummary {
  return lookInto(path, ({ db, format, reader }) => {
    const { server, store, service } = factsIn(db);
    const { stream, base, uploaded, queued, queuedSince } = db.prepare(PUBLISHER).get()!;
    return {
      path,
      ...{ bytes: sizeOf(path), logBytes: sizeOf(`${path}-wal`) },
      ...{ server: String(server), store, service },
      ...{ format, reader },
      ...{ stream: String(stream), uploaded: Number(uploaded) - Number(base) },
      ...{ queued: Number(queued), queuedSince: optional(queuedSince) },
      cursors: count(db, "cursors"),
      // What 0.1 made has no such columns before it is migrated.
      unread: has(db, "cursors", "reach") ? count(db, "cursors WHERE reach > seq") : 0,
      held: has(db, "cursors", "lockedAt") ? heldStreams(db) : [],
      deadLetters: count(db, "dead_letters"),
    };
  });
}

function factsIn(db: DatabaseSync): Record<string, string | undefined> {
  const rows = db.prepare("SELECT key, value FROM meta").all();
  return Object.fromEntries(rows.map(({ key, value }) => [key, String(value)]));
}

function heldStreams(db: DatabaseSync): HeldStream[] {
  const rows = db.prepare(
    `SELECT stream, seq, heldSince, iif(lockedAt = seq, lockedBy, NULL) AS reason FROM cursors
     WHERE heldSince IS NOT NULL OR lockedAt = seq AND reach > seq ORDER BY stream`,
  ).all();
  return rows.map(({ stream, seq, heldSince, reason }) => ({
    ...{ stream: String(stream), after: Number(seq), since: optional(heldSince) },
    reason: reason === null ? undefined : String(reason),
  }));
}

function has(db: DatabaseSync, table: string, column: string): boolean {
  return db.prepare("SELECT 1 FROM pragma_table_info(?) WHERE name = ?").get(table, column) !==
    undefined;
}

function count(db: DatabaseSync, what: string): number {
  return Number(db.prepare(`SELECT count(*) AS count FROM ${what}`).get()!.count);
}

function optional(value: SQLInputValue | undefined): number | undefined {
  return value === null || value === undefined ? undefined : Number(value);
}
