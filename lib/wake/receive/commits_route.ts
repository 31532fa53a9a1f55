/**
 * Takes the commits of peers: signed by one that knows the secret, sent just now, and each once.
 *
 * @module
 */
import { type BucketLog, whyUnreadable } from "../../log/bucket_log.ts";
import { messageOf } from "../../errors.ts";
import { objectOfMessage, SERVICE_HEADER } from "../message_id.ts";
import { done, refuse, type Route } from "./route.ts";
import { Signer, TOLERANCE } from "../signature.ts";
import type { Hear } from "../sources.ts";

/** More messages are not remembered. */
const MOST_IDS = 100_000;

/** What commits are taken with. */
export interface CommitsOptions {
  /** What peers sign with. */
  readonly secret: string;
  /** Commits must be of this one. */
  readonly log: BucketLog;
  /** Told of each commit with what is in it; without that when a key, or the service, is another. */
  readonly onCommit: Hear;
}

/** Commits of peers. */
export function commitsRoute({ secret, log, onCommit }: CommitsOptions): Route {
  const { url: store, service } = log;
  const signer = new Signer(secret);
  const messages = new SeenMessages();
  const isElsewhere = (headers: Headers) => {
    const named = headers.get(SERVICE_HEADER);
    return named !== null && service !== undefined && named !== encodeURI(service);
  };
  return {
    admit({ headers }) {
      const id = signer.idOf(headers, log.now());
      if (id === undefined) return refuse(401, "It is not signed, or clocks differ");
      const isCommit = objectOfMessage(id, store)?.kind === "tail";
      return isCommit ? undefined : refuse(409, "It is no commit, or of another store");
    },
    async take({ headers }, body) {
      const id = signer.verify(headers, body, log.now());
      if (id === undefined) return refuse(401, "It is not signed with the secret of this server");
      if (!messages.isNew(id, log.now())) return refuse(409, "It came before");
      const name = objectOfMessage(id, store)!;
      try {
        const object = (await log.open(name, body)).decode();
        if (isElsewhere(headers)) onCommit(name); // Whether it is in this bucket a request tells.
        else onCommit(name, { ...object, name });
      } catch (error) {
        const reason = whyUnreadable(error);
        if (reason === "corrupt") return refuse(400, messageOf(error));
        if (reason !== "locked") throw error;
        onCommit(name); // Reading it from the bucket tells of the key.
      }
      return done();
    },
  };
}

/** Remembers messages for as long as their signatures hold: none is taken twice. */
class SeenMessages {
  /** When each came, oldest first. */
  readonly #ids = new Map<string, number>();

  /** Whether the message comes for the first time. */
  isNew(id: string, now: number): boolean {
    for (const [old, came] of this.#ids) {
      if (now - came <= 2 * TOLERANCE && this.#ids.size < MOST_IDS) break;
      this.#ids.delete(old);
    }
    if (this.#ids.has(id)) return false;
    this.#ids.set(id, now);
    return true;
  }
}
