/**
 * What all messages of peers have in common: each must be signed with the shared secret, be recent,
 * belong to this store, and is accepted once.
 *
 * @module
 */
import { getLogger } from "@logtape/logtape";
import type { Clock } from "../../base/environment.ts";
import { OnceLog } from "../../base/once_log.ts";
import { messageOf, UnsupportedFormatError } from "../../errors.ts";
import type { BucketLog } from "../../log/bucket_log.ts";
import { whyUnreadable } from "../../log/why_unreadable.ts";
import {
  keyOfMessage,
  NEEDS_NEWER_READER,
  SERVICE_HEADER,
  unsupportedMessage,
} from "../message.ts";
import { Signer, TOLERANCE_MS } from "../signature.ts";
import { accept, refuse, type Route } from "./route.ts";

const logger = getLogger(["feedsync", "wake"]);

/** Maximum number of messages remembered to recognize repeated ones. */
const MAX_MESSAGES = 100_000;

/** Dependencies of routes for signed messages. */
export interface SignedOptions {
  /** The secret shared by all peers. */
  readonly secret: string;
  /** This server's bucket: messages about other buckets are refused. */
  readonly log: BucketLog;
  /** Limits how often the same problem is logged. */
  readonly clock: Clock;
}

/** Messages of one kind, each about an object whose name is an `N`. */
export interface MessageKind<N> extends Pick<Route, "maxBytes"> {
  /** What the messages bring, with an article: `a commit`. */
  readonly what: string;
  /** What happens in place of a message that needs a newer reader, for the log. */
  readonly instead: string;
  /** Reads the key of an object; undefined when messages of this kind are not about such objects. */
  parse(key: string): N | undefined;
  /**
   * Handles a message: the bytes of an object as they are stored, in a bucket that may be that of
   * another service.
   *
   * @throws {CorruptObjectError | MissingKeyError | UnsupportedFormatError} when the bytes cannot be
   * read.
   */
  take(name: N, stored: Uint8Array, context: { readonly isElsewhere: boolean }): Promise<void>;
  /** Called instead when a message cannot be read here. */
  hint(name: N): void;
}

/** Receives messages of one kind that peers POST. */
export function signedRoute<N>(kind: MessageKind<N>, options: SignedOptions): Route {
  const { log } = options, { url: store } = log;
  const signer = new Signer(options.secret);
  const messages = new SeenMessages();
  const problems = new OnceLog(logger, options.clock);
  const nameIn = (id: string) => {
    const key = keyOfMessage(id, store);
    return key === undefined ? undefined : kind.parse(key);
  };
  const takeUnsupported = (error: UnsupportedFormatError, id: string) => {
    problems.problem("unsupported", {
      text: "{message}; {instead}",
      properties: { message: messageOf(error), instead: kind.instead },
      kind: String(error.reader),
    });
    const name = nameIn(id);
    if (name) kind.hint(name);
    return needsNewerReader(error);
  };
  return {
    maxBytes: kind.maxBytes,
    admit({ headers }) {
      const id = signer.idOf(headers, log.now());
      if (id === undefined) {
        return refuse(401, "The signature is missing or expired; check the clocks of both servers");
      }
      const isOurs = nameIn(id) !== undefined || unsupportedMessage(id, headers) !== undefined;
      return isOurs ? undefined : refuse(409, `Not ${kind.what} of this store`);
    },
    async take({ headers }, body) {
      const id = signer.verify(headers, body, log.now());
      if (id === undefined) return refuse(401, "Not signed with the secret of this server");
      const unsupported = unsupportedMessage(id, headers);
      // Afterwards, a peer may send the same object in an older form.
      const isNew = messages.isNew(unsupported ? `unsupported ${id}` : id, log.now());
      if (!isNew) return refuse(409, "Already received");
      if (unsupported) return takeUnsupported(unsupported, id);
      const name = nameIn(id)!;
      try {
        await kind.take(name, body, { isElsewhere: isOfOtherService(headers, log) });
      } catch (error) {
        const reason = whyUnreadable(error);
        if (reason === "corrupt") return refuse(400, messageOf(error));
        if (reason !== "locked") throw error;
        kind.hint(name); // Reading it from the bucket reports the problem.
        if (error instanceof UnsupportedFormatError) return needsNewerReader(error);
      }
      return accept();
    },
  };
}

/** Whether the message may be about a bucket of the same name elsewhere. */
function isOfOtherService(headers: Headers, { service }: BucketLog): boolean {
  const named = headers.get(SERVICE_HEADER);
  return named !== null && service !== undefined && named !== encodeURI(service);
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
