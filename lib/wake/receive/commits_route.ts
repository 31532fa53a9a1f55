/**
 * Receives the commits of peers. Each must be signed with the shared secret and sent just now, and
 * is accepted once.
 *
 * @module
 */
import { messageOf } from "../../errors.ts";
import { type BucketLog, whyUnreadable } from "../../log/bucket_log.ts";
import { objectOfMessage, SERVICE_HEADER } from "../message_id.ts";
import { Signer, TOLERANCE_MS } from "../signature.ts";
import type { OnCommit } from "../source.ts";
import { accept, refuse, type Route } from "./route.ts";

/** How many messages are remembered to recognize repeated ones. */
const MAX_MESSAGES = 100_000;

/** Options of {@linkcode commitsRoute}. */
export interface CommitsOptions {
  /** The secret shared by all peers. */
  readonly secret: string;
  /** This server's bucket: commits of others are refused. */
  readonly log: BucketLog;
  /** Called for each commit: with its content, if it can be decrypted and is surely of this store. */
  readonly onCommit: OnCommit;
}

/** Receives commits that peers POST. */
export function commitsRoute({ secret, log, onCommit }: CommitsOptions): Route {
  const { url: store, service } = log;
  const signer = new Signer(secret);
  const messages = new SeenMessages();
  const isOfOtherService = (headers: Headers) => {
    const named = headers.get(SERVICE_HEADER);
    return named !== null && service !== undefined && named !== encodeURI(service);
  };
  return {
    admit({ headers }) {
      const id = signer.idOf(headers, log.now());
      if (id === undefined) {
        return refuse(401, "The signature is missing or expired; check the clocks of both servers");
      }
      const isCommit = objectOfMessage(id, store)?.kind === "tail";
      return isCommit ? undefined : refuse(409, "Not a commit of this store");
    },
    async take({ headers }, body) {
      const id = signer.verify(headers, body, log.now());
      if (id === undefined) return refuse(401, "Not signed with the secret of this server");
      if (!messages.isNew(id, log.now())) return refuse(409, "Already received");
      const name = objectOfMessage(id, store)!;
      try {
        const object = (await log.open(name, body)).decode();
        if (isOfOtherService(headers)) onCommit(name); // Only the bucket knows whether it is there.
        else onCommit(name, { ...object, name });
      } catch (error) {
        const reason = whyUnreadable(error);
        if (reason === "corrupt") return refuse(400, messageOf(error));
        if (reason !== "locked") throw error;
        onCommit(name); // Reading it from the bucket reports what is missing.
      }
      return accept();
    },
  };
}

/** Remembers messages for as long as their signatures are valid. */
class SeenMessages {
  /** When each was received, oldest first. */
  readonly #ids = new Map<string, number>();

  /** Whether the message is received for the first time. */
  isNew(id: string, now: number): boolean {
    for (const [oldest, receivedAt] of this.#ids) {
      if (now - receivedAt <= 2 * TOLERANCE_MS && this.#ids.size < MAX_MESSAGES) break;
      this.#ids.delete(oldest);
    }
    if (this.#ids.has(id)) return false;
    this.#ids.set(id, now);
    return true;
  }
}
