/**
 * Tells how fast the store answers.
 *
 * @module
 */
import { type Finding, ok, warning } from "./finding.ts";
import type { Subject } from "./subject.ts";

/** A slower store holds publishers up. */
const SLOW_MS = 2_000;

/** Tells how long each kind of request took. */
export function* checkLatency({ probe }: Pick<Subject, "probe">): Iterable<Finding> {
  // The first LIST has to open the connection.
  const { keys, get, before, put, deleted } = probe;
  const answers = { LIST: keys, GET: get ?? before, PUT: put, DELETE: deleted };
  const times = Object.entries(answers).filter(([, answer]) => answer && !answer.error)
    .map(([kind, answer]) => ({ kind, ms: Math.round(answer!.ms) }));
  const shown = times.map(({ kind, ms }) => `${kind} ${ms} ms`).join(", ");
  if (times.length === 0) return;
  if (times.every(({ ms }) => ms <= SLOW_MS)) yield ok(`It takes: ${shown}`);
  else {yield warning(
      `It is slow: ${shown}`,
      "Choose a region near to the servers, or look at the way there",
    );}
}
