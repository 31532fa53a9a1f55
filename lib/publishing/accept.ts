/**
 * Accepting updates: they are inserted into the outbox. From then on they survive a crash.
 *
 * @module
 */
import type { Environment } from "../base/environment.ts";
import { UpdateConflictError } from "../errors.ts";
import { feedIdentity, shownUrl } from "../feed_url.ts";
import type { BucketLog } from "../log/bucket_log.ts";
import { plus, type Row } from "../log/positions.ts";
import type { ReceivedUpdate, Version } from "../state/newest.ts";
import type { OutboxRow } from "../state/outbox.ts";
import type { StreamState } from "../state/own_stream.ts";
import type { Publication } from "../state/publications.ts";
import type { State } from "../state/state.ts";
import { contentHash } from "../update.ts";
import type { PreparedUpdate } from "./prepare.ts";

/** An accepted update. */
export interface Accepted {
  readonly row: Row;
  readonly id: string;
  readonly url: string;
  /** Milliseconds since 1970, by the store's clock. */
  readonly time: number;
}

/** What it takes to accept updates. */
export interface AcceptContext {
  readonly state: State;
  readonly log: Pick<BucketLog, "now">;
  readonly environment: Pick<Environment, "random">;
}

/** Puts an update into the outbox, in a transaction. */
export function accept(context: AcceptContext, update: PreparedUpdate): Accepted {
  return context.state.transaction(() => {
    const acceptance = new Acceptance(context, [update]);
    const accepted = acceptance.add(update);
    acceptance.insert();
    return accepted;
  });
}

/** What is known of a feed. */
type Known = Pick<Version, "time" | "hash">;

/**
 * Updates that are put into the outbox in one transaction of the caller. Their times are fixed here:
 * each is at least 1 ms after the newest known update of the same URL.
 */
class Acceptance {
  readonly #context: AcceptContext;
  readonly #now: number;
  readonly #own: StreamState;
  readonly #known: Map<string, Known>;
  readonly #lastRow: Row;
  readonly #rows: OutboxRow[] = [];
  readonly #noted: ReceivedUpdate[] = [];

  /** Looks up what is known of the feeds of `candidates`, which may be added. */
  constructor(context: AcceptContext, candidates: readonly PreparedUpdate[]) {
    const { state, log } = context;
    this.#context = context;
    this.#now = Math.round(log.now());
    this.#own = state.ownStream.load();
    this.#known = state.newest.versions(candidates.map(({ url }) => url));
    this.#lastRow = state.outbox.lastRow();
  }

  /** The newest content that is known of the feed; null when it is gone. */
  knownHash(url: string): string | null | undefined {
    return this.#known.get(url)?.hash;
  }

  /** The store's time. */
  get now(): number {
    return this.#now;
  }

  /** Accepts an update; its row is written by {@linkcode insert}. */
  add({ url, body, hash }: PreparedUpdate): Accepted {
    const { state, environment: { random } } = this.#context;
    const id = random.uuid(), row = plus(this.#lastRow, this.#rows.length + 1);
    const time = Math.max(this.#now, (this.#known.get(url)?.time ?? 0) + 1);
    this.#rows.push({ row, id, url, time, body });
    const place = state.placeOf(row, this.#own);
    this.#noted.push({ feed: feedIdentity(url), time, id, hash, place });
    this.#known.set(url, { time, hash });
    return { row, id, url, time };
  }

  /** Writes all of them. */
  insert(): void {
    const { outbox, newest } = this.#context.state;
    outbox.addAll(this.#rows);
    newest.noteAll(this.#noted, { isDelivered: true });
  }
}

/** Updates that are accepted together, or not at all. */
export interface AcceptRequest {
  readonly updates: readonly PreparedUpdate[];
  /** Leaves out updates that equal the newest known content of their URL. */
  readonly ifChanged: boolean;
}

/** What became of an {@linkcode AcceptRequest}. */
export interface AcceptResult {
  /** In the order of the updates; undefined where one was left out. */
  readonly accepted: readonly (Accepted | undefined)[];
  /** Resolves when the updates survive a crash of the machine. Their upload does not wait for that. */
  readonly synced: Promise<void>;
}

/** Accepts all requests of one turn of the event loop in one transaction. */
export class Acceptor {
  readonly #context: AcceptContext & { readonly environment: Environment };
  #turn:
    | { readonly requests: AcceptRequest[]; readonly results: Promise<(AcceptResult | Error)[]> }
    | undefined;

  constructor(context: AcceptContext & { readonly environment: Environment }) {
    this.#context = context;
  }

  /**
   * Accepts the request, together with all others of this turn.
   *
   * @throws {UpdateConflictError} when a name was given to another update; then none is accepted.
   */
  async accept(request: AcceptRequest): Promise<AcceptResult> {
    const { requests, results } = this.#turn ??= this.#beginTurn();
    const index = requests.push(request) - 1;
    const result = (await results)[index];
    if (result instanceof Error) throw result;
    return result;
  }

  #beginTurn() {
    const requests: AcceptRequest[] = [];
    const results = Promise.resolve().then(() => {
      this.#turn = undefined;
      return this.#acceptAll(requests);
    });
    return { requests, results };
  }

  #acceptAll(requests: readonly AcceptRequest[]): (AcceptResult | Error)[] {
    const { state } = this.#context;
    const inserted = state.transaction(() => {
      const acceptance = new Acceptance(this.#context, requests.flatMap(({ updates }) => updates));
      const results = requests.map((request) =>
        this.#conflictIn(request) ?? this.#take(request, acceptance)
      );
      acceptance.insert();
      return results;
    }, { durable: false });
    // A repeated request may find what is not synced yet.
    const needsSync = inserted.some((item) => !(item instanceof Error) && item.some(Boolean));
    const synced = needsSync ? state.sync() : Promise.resolve();
    return inserted.map((item) => item instanceof Error ? item : { accepted: item, synced });
  }

  /** Remembers updates without a name by their UUIDs, for who asks later what became of them. */
  remember(updates: readonly (readonly [PreparedUpdate, Accepted])[]): void {
    const { state, environment: { clock } } = this.#context;
    const now = clock.now();
    state.transaction(() => {
      for (const [update, { row, id, url, time }] of updates) {
        const hash = requestHash(update);
        if (update.name === undefined) {
          state.publications.note({ name: id, hash, url, row, id, time }, now);
        }
      }
    }, { durable: false });
  }

  /** Why the request cannot be accepted: a name stands for another update. */
  #conflictIn({ updates }: AcceptRequest): UpdateConflictError | undefined {
    const given = new Map<string, string>();
    for (const update of updates) {
      const { name } = update;
      if (name === undefined) continue;
      const hash = requestHash(update);
      const known = given.get(name) ?? this.#context.state.publications.named(name)?.hash;
      if (known !== undefined && known !== hash) return conflict(name, update);
      given.set(name, hash);
    }
    return undefined;
  }

  #take(
    { updates, ifChanged }: AcceptRequest,
    acceptance: Acceptance,
  ): (Accepted | undefined)[] {
    return updates.map((update) => {
      const { name, url } = update;
      if (name === undefined) return this.#takeOne(update, { ifChanged, acceptance });
      const { state: { publications }, environment: { clock } } = this.#context;
      const known = publications.named(name);
      if (known) return acceptedBefore(known);
      const accepted = this.#takeOne(update, { ifChanged, acceptance });
      const { row = null, id = null, time = null } = accepted ?? {};
      publications.note({ name, hash: requestHash(update), url, row, id, time }, clock.now());
      return accepted;
    });
  }

  #takeOne(
    update: PreparedUpdate,
    { ifChanged, acceptance }: { readonly ifChanged: boolean; readonly acceptance: Acceptance },
  ): Accepted | undefined {
    if (!ifChanged) return acceptance.add(update);
    const { url, hash } = update;
    const accepted = acceptance.knownHash(url) === hash ? undefined : acceptance.add(update);
    const time = accepted?.time ?? acceptance.now;
    this.#context.state.turns.notePublished(url, { hash, time });
    return accepted;
  }
}

/** The update that a name stands for, as it was accepted; undefined where it was left out. */
export function acceptedBefore({ row, id, url, time }: Publication): Accepted | undefined {
  if (row === null || id === null || time === null) return undefined;
  return { row, id, url, time };
}

/** Tells requests to publish apart. */
function requestHash({ url, body }: PreparedUpdate): string {
  return contentHash(`${url}\n${body}`);
}

function conflict(name: string, { url }: PreparedUpdate): UpdateConflictError {
  return new UpdateConflictError(
    `Cannot publish ${shownUrl(url)}: the id ${JSON.stringify(name)} was given to another update ` +
      "within the last day; give each update an id of its own",
  );
}
