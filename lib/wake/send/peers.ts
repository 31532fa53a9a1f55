/**
 * Sends each stored commit to the peers, so that they need not wait for their next poll.
 *
 * @module
 */
import type { WakeUpParts } from "../source.ts";
import type { BucketLog } from "../../log/bucket_log.ts";
import { Signer } from "../signature.ts";
import { Peer } from "./peer.ts";
import { type SentObject, type SignedMessage, signMessage } from "./sign.ts";

/** Time limit for what is still queued for a peer that is removed. */
const REMOVAL_MS = 1000;

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

/** All peers of this server. By polling, they find commits that they missed. */
export class Peers {
  readonly #peers = new Map<string, Peer>();
  /** Peers that were removed, until they are closed. */
  readonly #removed = new Map<Peer, Promise<void>>();
  /** Counts of those that are closed. */
  #former: WakeUpCounts = { sent: 0, dropped: 0 };
  readonly #signer: Signer;
  readonly #options: PeersOptions;
  #isClosed = false;

  /** The peers at these URLs. */
  constructor(urls: readonly string[], options: PeersOptions) {
    this.#signer = new Signer(options.secret);
    this.#options = options;
    this.replace(urls);
  }

  /** Commits sent and dropped so far, summed over all peers. */
  get counts(): WakeUpCounts {
    return [...this.#peers.values(), ...this.#removed.keys()].reduce(sum, this.#former);
  }

  /** From now on, the peers are those at these URLs. Those that stay are not touched. */
  replace(urls: readonly string[]): void {
    if (this.#isClosed) return;
    for (const [url, peer] of this.#peers) {
      if (!urls.includes(url)) this.#remove(url, peer);
    }
    for (const url of urls) {
      if (!this.#peers.has(url)) this.#peers.set(url, new Peer(url, this.#options.environment));
    }
  }

  /** Sends a commit to every peer, in the background. */
  send(commit: SentObject): void {
    const message = { kind: "commit", ...this.#sign(commit) } as const;
    for (const peer of this.#peers.values()) peer.send(message);
  }

  /** Sends the own presence to the peers at these URLs, in the background. */
  greet(urls: readonly string[], presence: SentObject): void {
    const message = { kind: "greeting", ...this.#sign(presence) } as const;
    for (const url of urls) this.#peers.get(url)?.send(message);
  }

  /** Sends to the peer at this URL again, if it could not be reached: it has shown that it is there. */
  retry(url: string): void {
    this.#peers.get(url)?.retry();
  }

  /** Waits until everything is sent, for at most `timeoutMs`. */
  async close(timeoutMs: number): Promise<void> {
    this.#isClosed = true;
    const closing = [...this.#peers.values()].map((peer) => peer.close(timeoutMs));
    await Promise.all([...closing, ...this.#removed.values()]);
  }

  #sign(object: SentObject): SignedMessage {
    return signMessage(object, this.#signer, this.#options.log);
  }

  #remove(url: string, peer: Peer): void {
    this.#peers.delete(url);
    const closing = peer.close(REMOVAL_MS).then(() => {
      this.#removed.delete(peer);
      this.#former = sum(this.#former, peer);
    });
    this.#removed.set(peer, closing);
  }
}

function sum(one: WakeUpCounts, other: WakeUpCounts): WakeUpCounts {
  return { sent: one.sent + other.sent, dropped: one.dropped + other.dropped };
}
