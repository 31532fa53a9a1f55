/**
 * Reads what comes after a position of a consumer: the lines of the inbox, and where updates were
 * dropped unread, or at the beginning, the newest update of each feed.
 *
 * @module
 */
import type { ConsumerRow, Position } from "../state/consumers.ts";
import type { State } from "../state/state.ts";
import { cursorText } from "./cursor.ts";
import { lineOf } from "./line.ts";
import { LineBatch, type LineOptions } from "./line_batch.ts";
import type { FeedWalker } from "./walk.ts";

/** Reads what comes after a position; there may be nothing. */
export async function readLines(
  { state, walker }: { readonly state: State; readonly walker: FeedWalker },
  { consumer, after }: { readonly consumer: ConsumerRow; readonly after: Position },
  options: LineOptions,
): Promise<LineBatch> {
  const walked = await walker.read(consumer, after, options);
  return walked.lines.length > 0 ? walked : readInbox(state, { consumer, after }, options);
}

/**
 * Reads lines of the inbox. What comes after updates that were dropped is another matter for a
 * consumer that begins with the newest: then it walks through all feeds.
 */
function readInbox(
  { inbox }: State,
  { consumer: { own, start }, after }: {
    readonly consumer: ConsumerRow;
    readonly after: Position;
  },
  options: LineOptions,
): LineBatch {
  const batch = new LineBatch(after, options);
  // Nearly always all lines are of one epoch.
  const first = inbox.epochAt(after.row + 1), isOneEpoch = first === inbox.epochAt(inbox.lastRow());
  for (const line of inbox.lines(after.row, { own, limit: options.limit })) {
    const position = { row: line.row, number: 0 };
    const epoch = isOneEpoch ? first! : inbox.epochAt(line.row)!;
    const cursor = cursorText({ ...position, epoch });
    if (!batch.add(lineOf(line, cursor, options.content), position)) break;
    if (batch.isFull || line.kind === "lost" && start === "newest") break;
  }
  return batch;
}
