/**
 * What the state forgets. Each row protects against something, and goes when that can no longer
 * happen. That a single listing lacks something is never a reason.
 *
 * @module
 */
import type { Database } from "./database.ts";
import type { FormerStreams } from "./former_streams.ts";
import type { Newest } from "./newest.ts";

const HOUR_MS = 60 * 60 * 1000, DAY_MS = 24 * HOUR_MS;

/** Stands for the retention where that is forever. */
const DEFAULT_LIFE_MS = 7 * DAY_MS;

/** A stream or object is remembered for so many retentions after it was last seen. */
const MEMORY_LIVES = 4;

/**
 * A stream is remembered for so long if this server was away meanwhile and may have missed updates.
 */
const AWAY_MEMORY_MS = 365 * DAY_MS;

/** That a file is gone is remembered for at least so long. */
const MIN_FILE_MEMORY_MS = 30 * DAY_MS;

/**
 * No more streams that are gone are remembered: who can write to the bucket can make up any number.
 */
export const MAX_GONE_STREAMS = 100_000;

/** What a poll has seen. */
export interface Survey {
  /** The streams in its listing of the tail. */
  readonly streams: Iterable<string>;
  /** The listed keys of own streams, including former ones. */
  readonly ownKeys: readonly string[];
  /** The time by the store's clock, in milliseconds since 1970. */
  readonly now: number;
  /** The time by the local clock. */
  readonly localNow: number;
  /** How long updates are kept; `false`: forever. */
  readonly retentionMs: number | false;
}

/**
 * Forgets from time to time:
 *
 * - The cursor of a stream, once all of it was read and listings have not shown it for four times
 *   the retention. Until then it may reappear, when a listing lags or a bucket is restored, and a
 *   stream that continues it tells how far it went. If the stream vanished while this server was
 *   away for longer than the retention, it may have gone further than its cursor, which is kept for
 *   a year.
 * - Which updates of a stream were published again, with its cursor.
 * - Former streams, after a week, and which of their objects were examined.
 * - Own objects that this server cannot delete, after four times the retention: they have expired.
 *   Those in the tail of the current stream stay until a listing shows that they are gone.
 * - That a file is gone, and the feed it belonged to, after a month.
 * - What is beyond the bounds of {@linkcode Newest}.
 */
export class Forgetting {
  readonly #db: Database;
  readonly #former: FormerStreams;
  readonly #newest: Newest;

  constructor(db: Database, { former, newest }: { former: FormerStreams; newest: Newest }) {
    this.#db = db;
    this.#former = former;
    this.#newest = newest;
  }

  /** Whether the last survey was long enough ago. */
  isDue({ now, retentionMs }: Pick<Survey, "now" | "retentionMs">): boolean {
    const last = this.#lastSurvey();
    return last === undefined || Math.abs(now - last) >= Math.min(HOUR_MS, lifeOf(retentionMs) / 4);
  }

  /** Forgets what can be forgotten. It must be called in a transaction. */
  survey(survey: Survey): void {
    const { now, localNow, retentionMs } = survey;
    this.#surveyStreams(survey);
    this.#former.forgetOld(Math.min(now, localNow));
    this.#run(
      `DELETE FROM republished WHERE stream NOT IN (SELECT stream FROM cursors
       UNION SELECT stream FROM former_streams UNION SELECT stream FROM publisher)`,
    );
    if (retentionMs !== false) this.#surveyObjects(survey);
    this.#surveyGarbage(survey);
    this.#surveyFiles(survey);
    this.#newest.bound();
    this.#run("INSERT OR REPLACE INTO meta (key, value) VALUES ('lastSurvey', ?)", Math.round(now));
  }

  #surveyStreams({ streams, now, retentionMs }: Survey): void {
    const listed = JSON.stringify([...streams]);
    const due = now +
      (this.#wasAway(now, retentionMs) ? AWAY_MEMORY_MS : MEMORY_LIVES * lifeOf(retentionMs));
    this.#run(
      `DELETE FROM forgettable WHERE kind = 'stream' AND name IN (SELECT value FROM json_each(?))`,
      listed,
    );
    this.#run(
      `INSERT OR IGNORE INTO forgettable (kind, name, due) SELECT 'stream', stream, ? FROM cursors
       WHERE reach <= seq AND stream NOT IN (SELECT value FROM json_each(?)
       UNION SELECT stream FROM former_streams UNION SELECT stream FROM publisher)`,
      Math.round(due),
      listed,
    );
    const forgotten = this.#db.prepare(
      `SELECT stream, seq FROM cursors WHERE reach <= seq AND stream IN (
         SELECT name FROM forgettable WHERE kind = 'stream' AND due <= ?
         UNION SELECT * FROM (
           SELECT stream FROM cursors JOIN forgettable ON name = stream AND kind = 'stream'
           ORDER BY seq = 0, due DESC LIMIT -1 OFFSET ?))`,
    ).all(Math.round(now), MAX_GONE_STREAMS);
    if (forgotten.length > 0) this.#forgetStreams(JSON.stringify(forgotten));
    this.#run(
      `DELETE FROM forgettable WHERE kind = 'stream' AND name NOT IN (SELECT stream FROM cursors)`,
    );
  }

  /** Forgets cursors; the updates before them stay marked as delivered. */
  #forgetStreams(cursors: string): void {
    this.#run(
      `WITH gone AS MATERIALIZED (
         SELECT value ->> 'stream' AS stream, value ->> 'seq' AS seq FROM json_each(?))
       UPDATE places SET delivered = 1 FROM gone
       WHERE places.stream = gone.stream AND places.seq <= gone.seq AND delivered IS NULL`,
      cursors,
    );
    for (const table of ["cursors", "inbox_streams"]) {
      this.#run(
        `DELETE FROM ${table} WHERE stream IN (SELECT value ->> 'stream' FROM json_each(?))`,
        cursors,
      );
    }
  }

  /** Examined objects are gone when they have expired. */
  #surveyObjects({ ownKeys, now, retentionMs }: Survey): void {
    this.#surveyTable("object", {
      table: "seen_objects",
      column: "key",
      isGone: "key NOT IN (SELECT value FROM json_each(?))",
      given: [JSON.stringify(ownKeys)],
      due: now + MEMORY_LIVES * lifeOf(retentionMs),
      now,
    });
  }

  #surveyGarbage({ now, retentionMs }: Survey): void {
    this.#surveyTable("garbage", {
      table: "garbage",
      column: "key",
      isGone:
        "key NOT IN (SELECT key FROM garbage, publisher WHERE instr(key, 'tail/' || stream) = 1)",
      given: [],
      due: now + MEMORY_LIVES * lifeOf(retentionMs),
      now,
    });
  }

  #surveyFiles({ now, retentionMs }: Survey): void {
    this.#surveyTable("file", {
      table: "files",
      column: "path",
      isGone: "hash IS NULL",
      given: [],
      due: now + Math.max(MIN_FILE_MEMORY_MS, MEMORY_LIVES * lifeOf(retentionMs)),
      now,
    });
    this.#run("DELETE FROM file_feeds WHERE path NOT IN (SELECT path FROM files)");
  }

  /** Forgets the rows of a table that were gone in all surveys until they were due. */
  #surveyTable(kind: string, { table, column, isGone, given, due, now }: {
    readonly table: string;
    readonly column: string;
    readonly isGone: string;
    readonly given: readonly string[];
    readonly due: number;
    readonly now: number;
  }): void {
    const gone = `SELECT ${column} FROM ${table} WHERE ${isGone}`;
    this.#run(
      `DELETE FROM forgettable WHERE kind = ? AND name NOT IN (${gone})`,
      kind,
      ...given,
    );
    this.#run(
      `DELETE FROM ${table} WHERE ${column} IN (
       SELECT name FROM forgettable WHERE kind = ? AND due <= ?)`,
      kind,
      Math.round(now),
    );
    this.#run(
      `INSERT OR IGNORE INTO forgettable (kind, name, due)
       SELECT ?, ${column}, ? FROM ${table} WHERE ${isGone}`,
      kind,
      Math.round(due),
      ...given,
    );
  }

  /** Whether updates may have come and gone unseen since the last survey, or the last poll. */
  #wasAway(now: number, retentionMs: number | false): boolean {
    const last = this.#lastSurvey() ?? this.#fact("lastPoll");
    return last === undefined || now - last > lifeOf(retentionMs);
  }

  #lastSurvey(): number | undefined {
    return this.#fact("lastSurvey");
  }

  #fact(name: string): number | undefined {
    return this.#db.prepare("SELECT value FROM meta WHERE key = ?").get(name)?.value as
      | number
      | undefined;
  }

  #run(sql: string, ...given: (string | number)[]): void {
    this.#db.prepare(sql).run(...given);
  }
}

function lifeOf(retentionMs: number | false): number {
  return retentionMs === false ? DEFAULT_LIFE_MS : retentionMs;
}
