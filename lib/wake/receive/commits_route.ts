/**
 * Receives the commits of peers.
 *
 * @module
 */
import { type ObjectName, parseKey } from "../../log/names.ts";
import type { OnCommit } from "../source.ts";
import type { Route } from "./route.ts";
import { type SignedOptions, signedRoute } from "./signed_route.ts";

/** Options of {@linkcode commitsRoute}. */
export interface CommitsOptions extends SignedOptions {
  /**
   * Called for each commit; with its content, if it can be decrypted and certainly belongs to this
   * store.
   */
  readonly onCommit: OnCommit;
}

/** Receives commits that peers POST. */
export function commitsRoute({ onCommit, ...options }: CommitsOptions): Route {
  return signedRoute<ObjectName>({
    what: "a commit",
    instead: "the commit will be read from the bucket instead",
    parse(key) {
      const name = parseKey(key);
      return name?.kind === "tail" ? name : undefined;
    },
    async take(name, stored, { isElsewhere }) {
      const object = (await options.log.open(name, stored)).decode();
      if (isElsewhere) onCommit(name); // Only the bucket shows whether it exists.
      else onCommit(name, { ...object, name });
    },
    hint: (name) => onCommit(name),
  }, options);
}
