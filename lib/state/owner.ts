/**
 * Whom a state belongs to: one server, and one store at one service. It says nothing about any other.
 *
 * @module
 */
import type { DatabaseSync } from "node:sqlite";
import { StateError } from "../errors.ts";
import { isSameDirectory, serviceName } from "../stores/store_identity.ts";

/** Whom a state is opened for. */
export interface Owner {
  readonly server: string;
  /** The URL of the store. */
  readonly store: string;
  /** See {@linkcode serviceName}; absent where the URL is enough. */
  readonly service?: string | undefined;
  /** A former name of the store or the service, to which the state may belong. */
  readonly movedFrom?: string | undefined;
}

/** Whom a state belongs to, as far as it says. */
export interface KnownOwner {
  readonly server: string | undefined;
  readonly store: string | undefined;
  readonly service: string | undefined;
  /** Whether the store was ever listed or written to: a missing bucket was not. */
  readonly hasReachedStore: boolean;
}

/**
 * Makes sure that the state at `path` belongs to the owner: it says nothing about another store, even if
 * the bucket there has the same name.
 *
 * @throws {StateError} when it belongs to another server or store.
 */
export function checkOwner(path: string, owner: Owner, known: KnownOwner): void {
  const { server, store, service, movedFrom } = owner;
  if ((known.server ?? server) !== server) throw notOf(known.server!, path, server);
  // A store that was never reached was probably a mistake: it may be replaced.
  if (!known.hasReachedStore) return;
  const { store: knownStore = store, service: knownService = service } = known;
  const isMoved = knownStore !== store && movedFrom === knownStore;
  if (knownStore !== store && !isMoved && !isSameDirectory(knownStore, store)) {
    throw belongsTo(knownStore, path, `for the store ${store}`);
  }
  if (service === undefined || knownService === undefined) return;
  const isKnown = knownService === service || isMoved;
  if (!isKnown && (movedFrom === undefined || serviceName(movedFrom) !== knownService)) {
    throw belongsTo(knownService, path, `for ${store} at ${service}`);
  }
}

/** The owner's new store, if the state may move there from wherever it is. */
export function movedTo(
  known: KnownOwner,
  { store, service }: Pick<Owner, "store" | "service">,
): Owner {
  const former = known.store === store ? known.service : known.store;
  return { server: String(known.server), store, service, movedFrom: former };
}

/** Whether the state in the database has uploaded anything. */
export function hasUploaded(db: Pick<DatabaseSync, "prepare">): boolean {
  return db.prepare("SELECT 1 FROM publisher WHERE uploaded > 0").get() !== undefined;
}

function notOf(known: string, path: string, server: string): StateError {
  return new StateError(
    `Cannot use the state ${path} for the server ${server}: it belongs to ${known}; choose ` +
      `another file, or, if ${known} is called ${server} now, run \`feedsync state rename ${server}\``,
  );
}

function belongsTo(known: string, path: string, use: string): StateError {
  return new StateError(
    `Cannot use the state ${path} ${use}: it belongs to ${known}; choose another file, or, when ` +
      "everything that was there is here now, run `feedsync state move`, or set 'movedFrom' to " +
      `"${known}"`,
  );
}
