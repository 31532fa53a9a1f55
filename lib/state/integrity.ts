/**
 * Whether a state is damaged.
 *
 * @module
 */
import type { DatabaseSync } from "node:sqlite";
import { messageOf, StateError } from "../errors.ts";
import { lookInto } from "./unopened.ts";

/** Many problems tell no more than some. */
const MAX_PROBLEMS = 20;

/**
 * What is wrong in the state at `path`; empty when it is sound.
 *
 * @throws {StateError} when it cannot be read at all.
 */
export function findDamage(path: string): string[] {
  return lookInto(path, ({ db }) => {
    try {
      const found = db.prepare(`PRAGMA integrity_check(${MAX_PROBLEMS})`).all()
        .map(({ integrity_check }) => String(integrity_check));
      return found.join() === "ok" ? damageOfQueue(db) : found;
    } catch (error) {
      return [messageOf(error)];
    }
  });
}

/** The error for a state at `path` in which {@linkcode findDamage} has found something. */
export function damageError(path: string): StateError {
  return new StateError(
    `The state ${path} is damaged: stop feedsync, check the disk, keep the file, and restore a ` +
      "backup, or begin with a new state (docs/moving.md); what was queued in it is lost",
  );
}

/** Seqs follow from row numbers, which therefore have no holes, whatever SQLite thinks of that. */
function damageOfQueue(db: DatabaseSync): string[] {
  const publisher = db.prepare("SELECT uploaded FROM publisher").get();
  if (!publisher) return ["it does not know its stream"];
  const { count, last } = db.prepare(
    `SELECT count(*) AS count,
     coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'outbox'), 0) AS last
     FROM outbox WHERE row > ?`,
  ).get(publisher.uploaded)!;
  const queued = Number(last) - Number(publisher.uploaded);
  if (Number(count) === queued) return [];
  return [`of the ${queued} updates that wait for their upload, ${count} are there`];
}
