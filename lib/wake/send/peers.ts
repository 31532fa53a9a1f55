/**
 * Telling peers: each commit is sent to them as it is stored, so that they need not wait for a poll.
 *
 * @module
 */
import { getLogger } from "@logtape/logtape";
import { mediaTypeOf } from "../../log/encryption/format.ts";
import { backoff, type Environment } from "../../base/environment.ts";
import { messageOf } from "../../errors.ts";
import { originOf, post } from "../../base/http_post.ts";
import { Deadline, withDeadline } from "../../base/deadline.ts";
import { messageId, SERVICE_HEADER } from "../message_id.ts";
import { Signer } from "../signature.ts";

const logger = getLogger(["feedsync", "wake"]);

/** No more wait for one peer: commits, and their bytes. What comes then is dropped. */
const MOST_COMMITS = 256, MOST_BYTES = 8 * 1024 * 1024;

/** A peer that does not answer within this time has failed. */
const TIMEOUT_MS = 10_000;

/** A peer that has failed is left alone for so long: at first, and at most. Milliseconds. */
const RETRY_BASE = 250, RETRY_CAP = 60_000;

/** What peers are told with. */
export interface PeersOptions {
  /** What to sign with. */
  readonly secret: string;
  /** URL of the store that the commits are in. */
  readonly store: string;
  /** Which service has it, where the URL does not tell. */
  readonly service?: string;
  /** Milliseconds since 1970 by the store's clock, on which servers agree. */
  readonly now: () => number;
  /** Time and chance. */
  readonly environment: Environment;
}

/** What became of the commits that peers were to be told of. */
export interface WakeUpCounts {
  /** Sent. */
  readonly sent: number;
  /** Not sent, or without an answer. */
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

/** All peers of this server. What they miss they find by polling. */
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

  /** What became of all commits, over all peers. */
  get counts(): WakeUpCounts {
    return {
      sent: this.#peers.reduce((sum, { sent }) => sum + sent, 0),
      dropped: this.#peers.reduce((sum, { dropped }) => sum + dropped, 0),
    };
  }

  /** Sends a commit to every peer, in the background. */
  send({ key, body }: StoredCommit): void {
    const { store, service, now } = this.#options;
    const headers = {
      ...this.#signer.sign(messageId(store, key), body, now()),
      "content-type": mediaTypeOf(body),
      ...service !== undefined && { [SERVICE_HEADER]: encodeURI(service) },
    };
    for (const peer of this.#peers) peer.send({ headers, body });
  }

  /** Waits until all commits are sent, for at most `timeoutMs`. */
  async close(timeoutMs: number): Promise<void> {
    await Promise.all(this.#peers.map((peer) => peer.close(timeoutMs)));
  }
}

/** One peer, which gets one commit after the other over a connection that is kept. */
class Peer {
  sent = 0;
  dropped = 0;
  readonly #url: string;
  /** All of the URL that is shown. */
  readonly #origin: string;
  readonly #environment: Environment;
  readonly #queue: Message[] = [];
  readonly #closing: Deadline;
  // With HTTP/1.1 a request that is given up takes its connection along.
  readonly #http = Deno.createHttpClient({ http2: false });
  #bytes = 0;
  #failures = 0;
  /** What was told of the last failure: the same is not told again. */
  #complaint: string | undefined;
  #leftAloneUntil = -Infinity;
  #sending: Promise<void> | undefined;

  constructor(url: string, environment: Environment) {
    this.#url = url.replace(/\/+$/, "");
    this.#origin = originOf(url);
    this.#environment = environment;
    this.#closing = new Deadline(environment.clock);
  }

  send(message: Message): void {
    const isFull = this.#queue.length >= MOST_COMMITS ||
      this.#bytes + message.body.length > MOST_BYTES && this.#queue.length > 0;
    const now = this.#environment.clock.elapsed();
    if (isFull || now < this.#leftAloneUntil || this.#closing.signal.aborted) {
      this.dropped++;
      return;
    }
    this.#queue.push(message);
    this.#bytes += message.body.length;
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
        await this.#post(message);
        this.#noteSuccess();
        this.#take();
      } catch (error) {
        this.#noteFailure(error);
      }
    }
    this.#sending = undefined; // At once: what comes from now on is sent anew.
  }

  async #post({ headers, body }: Message): Promise<void> {
    const { ok, status, excerpt } = await withDeadline(
      (signal) => post(this.#url, { path: "/commits", headers, body, client: this.#http, signal }),
      { clock: this.#environment.clock, timeoutMs: TIMEOUT_MS, signal: this.#closing.signal },
    );
    if (!ok) throw new Error(`${status} ${excerpt}`.trim());
  }

  #take(): void {
    this.#bytes -= this.#queue.shift()!.body.length;
  }

  #noteSuccess(): void {
    if (this.#failures > 0) {
      logger.info("The peer {url} can be reached again", { url: this.#origin });
    }
    this.#failures = 0;
    this.#complaint = undefined;
    this.sent++;
  }

  /** What waits is dropped, too: a poll brings it sooner than the next attempt. */
  #noteFailure(error: unknown): void {
    const { clock, random } = this.#environment;
    this.dropped += this.#queue.length;
    while (this.#queue.length > 0) this.#take();
    if (this.#closing.signal.aborted) return;
    const message = messageOf(error);
    if (message !== this.#complaint) {
      this.#complaint = message;
      logger.warn(
        "Cannot tell the peer {url} of a commit: {message} (it will find it by polling)",
        { url: this.#origin, message },
      );
    }
    this.#failures++;
    this.#leftAloneUntil = clock.elapsed() + backoff(random, this.#failures, RETRY_BASE, RETRY_CAP);
  }
}
