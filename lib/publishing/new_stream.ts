/**
 * Gives the own stream up for a new one: after a fork, and when the server gets another name.
 *
 * @module
 */
import type { Environment } from "../base/environment.ts";
import { parseKey, serverOf } from "../log/names.ts";
import { earlier, plus, type Row, seqOf } from "../log/positions.ts";
import type { State } from "../state/state.ts";

/** What a new stream is begun with. */
export interface StreamParts {
  readonly state: State;
  readonly environment: Environment;
  /** Whether this server also applies its own updates. */
  readonly includeOwn: boolean;
}

/**
 * Begins a new stream with the outbox row `first`. The old one is read from there on like any other
 * server's, except for what is published again.
 */
export function beginNewStream(
  { state, includeOwn, environment: { clock, random } }: StreamParts,
  first: Row,
  server?: string,
): void {
  const { ownStream, former, cursors } = state;
  const { stream, base, uploadedRow } = ownStream.load();
  const lastRow = plus(first, -1), lastSeq = seqOf(lastRow, base);
  const readTo = includeOwn ? earlier(cursors.get(stream), lastSeq) : lastSeq;
  // Readers take a stream for the continuation of another one only if it has the same server.
  const next = { base: lastRow, previous: server === undefined ? stream : null };
  state.transaction(() => {
    ownStream.noteRepublished(lastRow);
    former.add({ stream, base, uploadedSeq: seqOf(uploadedRow, base) }, clock.now());
    for (const { key } of ownStream.commits()) former.noteSeen(parseKey(key)!);
    cursors.setBack(stream, readTo);
    ownStream.begin(`${server ?? serverOf(stream)}_${random.token()}`, next);
    state.dropOutbox(lastRow);
  });
}

/**
 * Gives the server of a state another name. What is queued goes into a stream of that name, and so does
 * what may be uploaded without a record of it.
 */
export function renameServer(parts: StreamParts, server: string): void {
  const { state } = parts;
  state.transaction(() => {
    state.setFact("server", server);
    beginNewStream(parts, plus(state.ownStream.load().uploadedRow, 1), server);
  });
}
