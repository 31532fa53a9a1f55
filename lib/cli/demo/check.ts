/**
 * Checks that a server applied every update exactly in order.
 *
 * @module
 */
import type { Arrival } from "./watch_process.ts";

/** A saved file; update number n is the nth of them. */
export interface Saved {
  /** URL of the feed. */
  readonly url: string;
  /** The whole file. */
  readonly content: string;
  /** Title of the newest entry in it. */
  readonly headline: string;
  /** Time just before the file was renamed into place, in milliseconds since 1970. */
  readonly at: number;
}

/** The result for a server. */
export interface Verdict {
  /** Number of updates that arrived; repeats count once. */
  readonly applied: number;
  /** Number of updates that arrived again after a kill, since the cursor was not stored yet. */
  readonly repeated: number;
  /** Problems; empty if every update arrived exactly in order. */
  readonly problems: readonly string[];
}

/**
 * Compares the output of the processes of a server, in sequence, with the saved files. Each process
 * continues where the previous one ended. A killed process may not have stored its cursor after the
 * last commit, here always a single update: the next process then begins with that update.
 *
 * @param identities Stream and id of each update, by number; the same at all servers.
 */
export function check(
  saved: readonly Saved[],
  runs: readonly (readonly Arrival[])[],
  identities: Map<number, string>,
): Verdict {
  const problems: string[] = [];
  let due = 1;
  let repeated = 0;
  for (const [index, run] of runs.entries()) {
    const previous = runs[index - 1]?.at(-1);
    if (previous && run[0]?.update.seq === previous.update.seq) {
      repeated++;
      due = previous.update.seq;
    }
    for (const { update } of run) {
      if (update.seq !== due) problems.push(`update ${update.seq} came when ${due} was due`);
      const wrong = difference(update, saved[update.seq - 1], identities);
      if (wrong) problems.push(`update ${update.seq} has another ${wrong} than it should`);
      due = update.seq + 1;
    }
  }
  if (due <= saved.length) problems.push(`updates ${due} to ${saved.length} did not come`);
  const applied = new Set(runs.flat().map(({ update }) => update.id)).size;
  return { applied, repeated, problems };
}

function difference(
  { seq, url, content, stream, id }: Arrival["update"],
  saved: Saved | undefined,
  identities: Map<number, string>,
): string | undefined {
  const identity = `${stream} ${id}`;
  if (!identities.has(seq)) identities.set(seq, identity);
  if (identities.get(seq) !== identity) return "id";
  if (url !== saved?.url) return "URL";
  return content === saved.content ? undefined : "content";
}
