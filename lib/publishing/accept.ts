/**
 * Accepting updates: they are validated and inserted into the outbox. From then on they survive a crash.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { MAX_UPDATE_BYTES, updateBody, updateLine } from "../log/codec.ts";
import type { Environment } from "../base/environment.ts";
import type { BucketLog } from "../log/bucket_log.ts";
import { InvalidUpdateError, UpdateConflictError } from "../errors.ts";
import { type FeedUrlOptions, normalizeFeedUrl, shownUrl } from "../feed_url.ts";
import { Shape } from "../log/json_limits.ts";
import { assertJson } from "./json.ts";
import { MAX_SEQ, type Row } from "../log/positions.ts";
import type { Publication } from "../state/publications.ts";
import type { State } from "../state/state.ts";
import {
  contentHash,
  type FeedContent,
  hashOf,
  type Json,
  type JsonObject,
  type UpdateInput,
} from "../update.ts";

/** A valid update, ready to be accepted. */
export interface PreparedUpdate {
  /** Normalised. */
  readonly url: string;
  /** Its JSON without `seq`, `id`, `url` and `time`. */
  readonly body: string;
  /** Hash of the content; null when the feed is gone. */
  readonly hash: string | null;
  /** What the publisher called it. */
  readonly name?: string | undefined;
}

/**
 * Checks an update and encodes it.
 *
 * @throws {InvalidUpdateError} when it cannot be published.
 */
export function prepareUpdate(update: UpdateInput, options?: FeedUrlOptions): PreparedUpdate {
  const { content, metadata = {}, removed = false, id: name } = update ?? {};
  const url = normalizeFeedUrl(update?.url, options);
  const action = `Cannot publish ${shownUrl(url)}`;
  checkRemoved(action, { content, removed });
  checkName(action, name);
  if (typeof metadata !== "object" || metadata === null || Array.isArray(metadata)) {
    throw new InvalidUpdateError(`${action}: 'metadata' must be a JSON object`);
  }
  const isRaw = typeof content === "string" || content instanceof Uint8Array;
  if (isRaw && content.length > MAX_UPDATE_BYTES) throw tooLarge(action, content.length);
  const json = { action, shape: new Shape() };
  if (!removed && !(content instanceof Uint8Array)) assertJson(content, "content", json);
  assertJson(metadata, "metadata", json);
  const checked: FeedContent = { content: content as Json | Uint8Array, removed };
  const body = updateBody({ ...checked, metadata: metadata as JsonObject });
  const line = updateLine({ id: crypto.randomUUID(), url, time: 0, body }, MAX_SEQ);
  const bytes = Buffer.byteLength(line);
  if (bytes > MAX_UPDATE_BYTES) throw tooLarge(action, bytes);
  return { url, body, hash: hashOf(checked), ...name !== undefined && { name } };
}

/** Form of the names that publishers give their updates. */
const NAME = /^[\x20-\x7e]{1,255}$/;

function checkName(action: string, name: unknown): void {
  if (name === undefined || typeof name === "string" && NAME.test(name)) return;
  throw new InvalidUpdateError(`${action}: 'id' must have 1 to 255 characters of ASCII`);
}

function checkRemoved(
  action: string,
  { content, removed }: { content: unknown; removed: unknown },
): void {
  if (typeof removed !== "boolean") {
    throw new InvalidUpdateError(`${action}: 'removed' must be true or false`);
  }
  if (removed && content !== undefined) {
    throw new InvalidUpdateError(`${action}: 'content' and 'removed' exclude each other`);
  }
  if (!removed && content === undefined) {
    throw new InvalidUpdateError(
      `${action}: 'content' is missing; give it, or 'removed: true' if the feed is gone`,
    );
  }
}

function tooLarge(action: string, bytes: number): InvalidUpdateError {
  return new InvalidUpdateError(
    `${action}: it takes ${bytes} bytes, more than the ${MAX_UPDATE_BYTES} allowed`,
  );
}

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

/**
 * Puts an update into the outbox, in a transaction. Its time is fixed here: at least 1 ms after the
 * newest known update of the same URL.
 */
export function accept(
  { state, log, environment: { random } }: AcceptContext,
  { url, body, hash }: PreparedUpdate,
): Accepted {
  return state.transaction(() => {
    const id = random.uuid();
    const time = Math.max(Math.round(log.now()), (state.newest.get(url)?.time ?? 0) + 1);
    const row = state.outbox.add({ id, url, time, body });
    state.newest.note(url, { time, id, hash }, { place: state.placeOf(row), isDelivered: true });
    return { row, id, url, time };
  });
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
    const inserted = state.transaction(
      () => requests.map((request) => this.#conflictIn(request) ?? this.#insert(request)),
      { durable: false },
    );
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

  #insert({ updates, ifChanged }: AcceptRequest): (Accepted | undefined)[] {
    return updates.map((update) => this.#insertOnce(update, ifChanged));
  }

  #insertOnce(update: PreparedUpdate, ifChanged: boolean): Accepted | undefined {
    const { name, url } = update;
    if (name === undefined) return this.#insertOne(update, ifChanged);
    const { state: { publications }, environment: { clock } } = this.#context;
    const known = publications.named(name);
    if (known) return acceptedBefore(known);
    const accepted = this.#insertOne(update, ifChanged);
    const { row = null, id = null, time = null } = accepted ?? {};
    publications.note({ name, hash: requestHash(update), url, row, id, time }, clock.now());
    return accepted;
  }

  #insertOne(update: PreparedUpdate, ifChanged: boolean): Accepted | undefined {
    if (!ifChanged) return accept(this.#context, update);
    const { state, log } = this.#context;
    const isKnown = state.newest.get(update.url)?.hash === update.hash;
    const accepted = isKnown ? undefined : accept(this.#context, update);
    const time = accepted?.time ?? Math.round(log.now());
    state.turns.notePublished(update.url, { hash: update.hash, time });
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
