/**
 * Whom a state belongs to: one server, and one store at one service. It says nothing about any other.
 *
 * @module
 */
import { StateError } from "../errors.ts";
import { isSameDirectory, serviceName } from "../stores/store_identity.ts";

/** Whom a state belongs to. */
export interface Owner {
  readonly server: string;
  /** The URL of the store. */
  readonly store: string;
  /** See {@linkcode serviceName}; absent where the URL is enough. */
  readonly service?: string;
  /** A former name of the store or the service, to which the state may belong. */
  readonly movedFrom?: string;
}

/** What these rules read and write of a state. */
export interface OwnedState {
  /** Path of the file, or `:memory:`. */
  readonly path: string;
  fact(name: "server" | "store" | "service" | "lastPoll" | "clockOffset"):
    | string
    | number
    | undefined;
  setFact(name: "server" | "store" | "service", value: string): void;
}

/**
 * Makes the state the owner's; returns whether it was nobody's before.
 *
 * @throws {StateError} when it belongs to another server or store.
 */
export function claim(state: OwnedState, owner: Owner): boolean {
  const isNew = state.fact("server") === undefined;
  if (isNew) state.setFact("server", owner.server);
  checkServer(state, owner);
  claimStore(state, owner);
  return isNew;
}

function checkServer(state: OwnedState, { server }: Owner): void {
  const known = state.fact("server");
  if (known === server) return;
  throw new StateError(
    `Cannot use the state ${state.path} for the server ${server}: it belongs to ${known}; choose ` +
      `another file, or, if ${known} is called ${server} now, run \`feedsync state rename ${server}\``,
  );
}

function claimStore(state: OwnedState, { store, service, movedFrom }: Owner): void {
  const knownStore = String(state.fact("store") ?? store);
  const knownService = String(state.fact("service") ?? service);
  const isMoved = knownStore !== store && movedFrom === knownStore;
  if (knownStore !== store && !isMoved && !isSameDirectory(knownStore, store)) {
    throw belongsTo(knownStore, `the state ${state.path} for the store ${store}`);
  }
  if (state.fact("store") !== store) state.setFact("store", store);
  if (service === undefined || state.fact("service") === service) return;
  // An endpoint that never answered was probably a mistake: it may be replaced.
  const isKnown = knownService === service || isMoved || !hasReachedStore(state);
  if (!isKnown && (movedFrom === undefined || serviceName(movedFrom) !== knownService)) {
    throw belongsTo(knownService, `the state ${state.path} for ${store} at ${service}`);
  }
  state.setFact("service", service);
}

function hasReachedStore(state: OwnedState): boolean {
  return state.fact("lastPoll") !== undefined || state.fact("clockOffset") !== undefined;
}

function belongsTo(known: string, use: string): StateError {
  return new StateError(
    `Cannot use ${use}: it belongs to ${known}; choose another file, or, when everything that was ` +
      `there is here now, run \`feedsync state move\`, or set 'movedFrom' to "${known}"`,
  );
}

/** The owner's new store, if the state may move there from wherever it is. */
export function movedTo(
  state: OwnedState,
  { store, service }: Pick<Owner, "store" | "service">,
): Owner {
  const knownStore = String(state.fact("store") ?? store), knownService = state.fact("service");
  const former = knownStore === store ? knownService : knownStore;
  return {
    server: String(state.fact("server")),
    ...{ store, service },
    ...former !== undefined && { movedFrom: String(former) },
  };
}
