/**
 * Receives the commits of peers. Each must be signed with the shared secret and recent, and is
 * accepted once.
 *
 * @module
 */
import { getLogger } from "@logtape/logtape";
import type { Clock } from "../../base/environment.ts";
import { OnceLog } from "../../base/once_log.ts";
import { messageOf, UnsupportedFormatError } from "../../errors.ts";
import { type BucketLog, whyUnreadable } from "../../log/bucket_log.ts";
import {
  NEEDS_NEWER_READER,
  objectOfMessage,
  SERVICE_HEADER,
  unsupportedMessage,
} from "../message.ts";
import { Signer, TOLERANCE_MS } from "../signature.ts";
import type { OnCommit } from "../source.ts";
import { accept, refuse, type Route } from "./route.ts";

const logger = getLogger(["feedsync", "wake"]);

/** Maximum number of messages remembered to recognize repeated ones. */
const MAX_MESSAGES = 100_000;

/** Options of {@linkcode commitsRoute}. */
export interface CommitsOptions {
  /** The secret shared by all peers. */
  readonly secret: string;
  /** This server's bucket: commits in other buckets are refused. */
  readonly log: BucketLog;
  /** Limits how often the same problem is logged. */
  readonly clock: Clock;
  /**
   * Called for each commit; with its content, if it can be decrypted and certainly belongs to this
   * store.
   */
  readonly onCommit: OnCommit;
}

/** Receives commits that peers POST. */
export function commitsRoute({ secret, log, clock, onCommit }: CommitsOptions): Route {
  const { url: store, service } = log;
  const signer = new Signer(secret);
  const messages = new SeenMessages();
  const problems = new OnceLog(logger, clock);
  const isOfOtherService = (headers: Headers) => {
    const named = headers.get(SERVICE_HEADER);
    return named !== null && service !== undefined && named !== encodeURI(service);
  };
  const takeUnsupported = (error: UnsupportedFormatError, id: string) => {
    problems.problem("unsupported", {
      text: "{message}; the commit will be read from the bucket instead",
      properties: { message: messageOf(error) },
      kind: String(error.reader),
    });
    const name = objectOfMessage(id, store);
    if (name?.kind === "tail") onCommit(name);
    return needsNewerReader(error);
  };
  return {
    admit({ headers }) {
      const id = signer.idOf(headers, log.now());
      if (id === undefined) {
        return refuse(401, "The signature is missing or expired; check the clocks of both servers");
      }
      const mayBeCommit = objectOfMessage(id, store)?.kind === "tail" ||
        unsupportedMessage(id, headers) !== undefined;
      return mayBeCommit ? undefined : refuse(409, "Not a commit of this store");
    },
    async take({ headers }, body) {
      const id = signer.verify(headers, body, log.now());
      if (id === undefined) return refuse(401, "Not signed with the secret of this server");
      const unsupported = unsupportedMessage(id, headers);
      // Afterwards, a peer may send the same commit in an older form.
      const isNew = messages.isNew(unsupported ? `unsupported ${id}` : id, log.now());
      if (!isNew) return refuse(409, "Already received");
      if (unsupported) return takeUnsupported(unsupported, id);
      const name = objectOfMessage(id, store)!;
      try {
        const object = (await log.open(name, body)).decode();
        if (isOfOtherService(headers)) onCommit(name); // Only the bucket shows whether it exists.
        else onCommit(name, { ...object, name });
      } catch (error) {
        const reason = whyUnreadable(error);
        if (reason === "corrupt") return refuse(400, messageOf(error));
        if (reason !== "locked") throw error;
        onCommit(name); // Reading it from the bucket reports the problem.
        if (error instanceof UnsupportedFormatError) return needsNewerReader(error);
      }
      return accept();
    },
  };
}

function needsNewerReader({ reader }: UnsupportedFormatError): Response {
  return refuse(NEEDS_NEWER_READER, `A reader of format ${reader} is required`);
}

/** Remembers messages while their signatures are valid. */
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
