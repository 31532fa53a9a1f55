/**
 * Sends each stored commit to the peers, so that they need not wait for their next poll.
 *
 * @module
 */
import type { WakeUpParts } from "../source.ts";
import { getLogger } from "@logtape/logtape";
import { Backoff } from "../../base/backoff.ts";
import { Deadline, withDeadline } from "../../base/deadline.ts";
import type { Clock, Environment } from "../../base/environment.ts";
import { originOf, post } from "../../base/http_post.ts";
import { OnceLog } from "../../base/once_log.ts";
import { messageOf } from "../../errors.ts";
import type { BucketLog } from "../../log/bucket_log.ts";
import { mediaTypeOf } from "../../stores/body_format.ts";
import {
  MESSAGE_READER,
  messageId,
  NEEDS_NEWER_READER,
  READER_HEADER,
  SERVICE_HEADER,
} from "../message.ts";
import { Signer } from "../signature.ts";

const logger = getLogger(["feedsync", "wake"]);

/** Maximum number and size of commits in the queue of a peer; others are dropped. */
const MAX_QUEUED = 256, MAX_QUEUED_BYTES = 8 * 1024 * 1024;

/** Time limit for the answer of a peer. */
const TIMEOUT_MS = 10_000;

/** Delay after a failure, during which a peer gets no messages. */
const RETRY_RANGE = { minMs: 250, maxMs: 60_000 };

/** Options of {@linkcode Peers}. */
export interface PeersOptions extends Pick<WakeUpParts, "environment"> {
  /** The secret shared by all peers. */
  readonly secret: string;
  /** The log that holds the commits. */
  readonly log: Pick<BucketLog, "url" | "service" | "now">;
}

/** Numbers of commits sent to peers. */
export interface WakeUpCounts {
  /** Number of commits that peers accepted. */
  readonly sent: number;
  /** Number of commits that were not sent, or not accepted. */
  readonly dropped: number;
}

/** A commit as it is stored. */
interface StoredCommit {
  readonly key: string;
  readonly body: Uint8Array;
}

/** A commit as it is sent. */
interface Message {
  readonly headers: Record<string, string>;
  readonly body: Uint8Array;
}

/** All peers of this server. By polling, they find commits that they missed. */
export class Peers {
  readonly #peers: readonly Peer[];
  readonly #signer: Signer;
  readonly #options: PeersOptions;

  /** The peers at these URLs. */
  constructor(urls: readonly string[], options: PeersOptions) {
    this.#signer = new Signer(options.secret);
    this.#options = options;
    this.#peers = urls.map((url) => new Peer(url, options.environment));
  }

  /** Commits sent and dropped so far, summed over all peers. */
  get counts(): WakeUpCounts {
    return {
      sent: this.#peers.reduce((sum, { sent }) => sum + sent, 0),
      dropped: this.#peers.reduce((sum, { dropped }) => sum + dropped, 0),
    };
  }

  /** Sends a commit to every peer, in the background. */
  send({ key, body }: StoredCommit): void {
    const { log } = this.#options;
    const headers = {
      ...this.#signer.sign(messageId(log.url, key), body, log.now()),
      "content-type": mediaTypeOf(body),
      [READER_HEADER]: String(MESSAGE_READER),
      ...log.service !== undefined && { [SERVICE_HEADER]: encodeURI(log.service) },
    };
    for (const peer of this.#peers) peer.send({ headers, body });
  }

  /** Waits until all commits are sent, for at most `timeoutMs`. */
  async close(timeoutMs: number): Promise<void> {
    await Promise.all(this.#peers.map((peer) => peer.close(timeoutMs)));
  }
}

/** One peer: receives commits in sequence, over a connection that is kept open. */
class Peer {
  sent = 0;
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

  constructor(url: string, { clock, random }: Environment) {
    this.#url = url.replace(/\/+$/, "");
    this.#origin = originOf(url);
    this.#clock = clock;
    this.#closing = new Deadline(clock);
    this.#backoff = new Backoff(random, RETRY_RANGE);
    this.#problems = new OnceLog(logger, clock);
  }

  send(message: Message): void {
    const isFull = this.#queue.length >= MAX_QUEUED ||
      this.#queuedBytes + message.body.length > MAX_QUEUED_BYTES && this.#queue.length > 0;
    if (isFull || this.#clock.elapsed() < this.#retryAt || this.#closing.signal.aborted) {
      this.dropped++;
      return;
    }
    this.#queue.push(message);
    this.#queuedBytes += message.body.length;
    this.#sending ??= this.#sendAll();
  }

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
        this.#noteAnswer(refusal);
        this.#dequeue();
      } catch (error) {
        this.#noteFailure(error);
      }
    }
    this.#sending = undefined; // In the same turn as the last look into the queue.
  }

  /** Resolves to why the peer is too old for the message; undefined when it accepted it. */
  async #post({ headers, body }: Message): Promise<string | undefined> {
    const { ok, status, excerpt } = await withDeadline(
      (signal) => post(this.#url, { path: "/commits", headers, body, client: this.#http, signal }),
      { clock: this.#clock, timeoutMs: TIMEOUT_MS, signal: this.#closing.signal },
    );
    if (ok) return undefined;
    const answer = `${status} ${excerpt}`.trim();
    if (status === NEEDS_NEWER_READER) return answer;
    throw new Error(answer);
  }

  #dequeue(): void {
    this.#queuedBytes -= this.#queue.shift()!.body.length;
  }

  /**
   * Notes an answer. A peer that is too old for one message still gets the next: it may be able to
   * read it.
   */
  #noteAnswer(refusal: string | undefined): void {
    const url = this.#origin;
    this.#backoff.succeed();
    this.#problems.resolved(url, {
      text: "The peer {url} can be reached again",
      properties: { url },
    });
    if (refusal === undefined) return void this.sent++;
    this.dropped++;
    this.#problems.problem(`${url} is older`, {
      text: "The peer {url} is older than this server and cannot read all its messages; upgrade " +
        "feedsync there: {message} (it will read the commit from the bucket)",
      properties: { url, message: refusal },
    });
  }

  /** Drops the whole queue: the peer will probably poll before the next attempt. */
  #noteFailure(error: unknown): void {
    this.dropped += this.#queue.length;
    while (this.#queue.length > 0) this.#dequeue();
    if (this.#closing.signal.aborted) return;
    this.#retryAt = this.#clock.elapsed() + this.#backoff.fail();
    this.#problems.problem(this.#origin, {
      text: "Cannot send a commit to the peer {url}: {message} (it will find it by polling)",
      properties: { url: this.#origin, message: messageOf(error) },
    });
  }
}
