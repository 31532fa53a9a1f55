/**
 * One peer, and what is sent to it.
 *
 * @module
 */
import { getLogger } from "@logtape/logtape";
import { Backoff } from "../../base/backoff.ts";
import { Deadline, withDeadline } from "../../base/deadline.ts";
import type { Clock, Environment } from "../../base/environment.ts";
import { originOf, post } from "../../base/http_post.ts";
import { OnceLog } from "../../base/once_log.ts";
import { messageOf } from "../../errors.ts";
import { NEEDS_NEWER_READER } from "../message.ts";

const logger = getLogger(["feedsync", "wake"]);

/** Maximum number and size of messages in the queue of a peer; others are dropped. */
const MAX_QUEUED = 256, MAX_QUEUED_BYTES = 8 * 1024 * 1024;

/** Time limit for the answer of a peer. */
const TIMEOUT_MS = 10_000;

/** Delay after a failure, during which a peer gets no messages. */
const RETRY_RANGE = { minMs: 250, maxMs: 60_000 };

/** The kinds of messages. */
const KINDS = {
  commit: {
    path: "/commits",
    failure: "Cannot send a commit to the peer {url}: {message} (it will find it by polling)",
    withoutNeed: [] as readonly number[],
  },
  greeting: {
    path: "/presence",
    failure: "Cannot greet the peer {url}: {message} (it will find this server by listing)",
    // It does not look for peers, is an older version, or was greeted before.
    withoutNeed: [404, 405, 409] as readonly number[],
  },
};

/** A message as it is sent. */
export interface Message {
  /** What it brings. */
  readonly kind: keyof typeof KINDS;
  /** Its headers, with the signature. */
  readonly headers: Record<string, string>;
  /** Its body. */
  readonly body: Uint8Array;
}

/** One peer: receives messages in sequence, over a connection that is kept open. */
export class Peer {
  /** Number of commits that it accepted. */
  sent = 0;
  /** Number of commits that were not sent, or not accepted. */
  dropped = 0;
  readonly #url: string;
  /** Origin of the URL, for logs: the rest may be secret. */
  readonly #origin: string;
  readonly #clock: Clock;
  readonly #queue: Message[] = [];
  readonly #closing: Deadline;
  readonly #backoff: Backoff;
  readonly #problems: OnceLog;
  // With HTTP/2, an aborted request would leave the connection open.
  readonly #http = Deno.createHttpClient({ http2: false });
  #queuedBytes = 0;
  #retryAt = -Infinity;
  #sending: Promise<void> | undefined;

  /** The peer at `url`; nothing is sent yet. */
  constructor(url: string, { clock, random }: Environment) {
    this.#url = url.replace(/\/+$/, "");
    this.#origin = originOf(url);
    this.#clock = clock;
    this.#closing = new Deadline(clock);
    this.#backoff = new Backoff(random, RETRY_RANGE);
    this.#problems = new OnceLog(logger, clock);
  }

  /** Sends a message in the background; drops it when the peer cannot take it. */
  send(message: Message): void {
    const isFull = this.#queue.length >= MAX_QUEUED ||
      this.#queuedBytes + message.body.length > MAX_QUEUED_BYTES && this.#queue.length > 0;
    if (isFull || this.#clock.elapsed() < this.#retryAt || this.#closing.signal.aborted) {
      return this.#noteDropped(message);
    }
    this.#queue.push(message);
    this.#queuedBytes += message.body.length;
    this.#sending ??= this.#sendAll();
  }

  /** Ends the delay after a failure: the peer has shown that it is there. */
  retry(): void {
    this.#retryAt = -Infinity;
  }

  /** Waits until everything is sent, for at most `timeoutMs`; then drops the rest. */
  async close(timeoutMs: number): Promise<void> {
    using closing = this.#closing;
    closing.allow(timeoutMs);
    await this.#sending;
    closing.abort();
    this.#http.close();
  }

  async #sendAll(): Promise<void> {
    for (let message = this.#queue[0]; message; message = this.#queue[0]) {
      try {
        const refusal = await this.#post(message);
        this.#noteAnswer(message, refusal);
        this.#dequeue();
      } catch (error) {
        this.#noteFailure(message, error);
      }
    }
    this.#sending = undefined; // In the same turn as the last look into the queue.
  }

  /** Resolves to why the peer is too old for the message; undefined when it accepted it. */
  async #post({ kind, headers, body }: Message): Promise<string | undefined> {
    const { path, withoutNeed } = KINDS[kind];
    const { ok, status, excerpt } = await withDeadline(
      (signal) => post(this.#url, { path, headers, body, client: this.#http, signal }),
      { clock: this.#clock, timeoutMs: TIMEOUT_MS, signal: this.#closing.signal },
    );
    if (ok || withoutNeed.includes(status)) return undefined;
    const answer = `${status} ${excerpt}`.trim();
    if (status === NEEDS_NEWER_READER) return answer;
    throw new Error(answer);
  }

  #dequeue(): Message {
    const message = this.#queue.shift()!;
    this.#queuedBytes -= message.body.length;
    return message;
  }

  #noteDropped({ kind }: Message): void {
    if (kind === "commit") this.dropped++;
  }

  /**
   * Notes an answer. A peer that is too old for one message still gets the next: it may be able to
   * read it.
   */
  #noteAnswer(message: Message, refusal: string | undefined): void {
    const url = this.#origin;
    this.#backoff.succeed();
    this.#problems.resolved(url, {
      text: "The peer {url} can be reached again",
      properties: { url },
    });
    if (refusal === undefined) {
      if (message.kind === "commit") this.sent++;
      return;
    }
    this.#noteDropped(message);
    this.#problems.problem(`${url} is older`, {
      text: "The peer {url} is older than this server and cannot read all its messages; upgrade " +
        "feedsync there: {message} (it will find in the bucket what it missed)",
      properties: { url, message: refusal },
    });
  }

  /** Drops the whole queue: the peer will probably poll before the next attempt. */
  #noteFailure({ kind }: Message, error: unknown): void {
    while (this.#queue.length > 0) this.#noteDropped(this.#dequeue());
    if (this.#closing.signal.aborted) return;
    this.#retryAt = this.#clock.elapsed() + this.#backoff.fail();
    const message = messageOf(error);
    this.#problems.problem(this.#origin, {
      text: KINDS[kind].failure,
      properties: { url: this.#origin, message },
      kind: message,
    });
  }
}
