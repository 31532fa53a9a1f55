/**
 * Getting objects from the bucket.
 *
 * @module
 */
import type { Envelope } from "./encryption/envelope.ts";
import type { ObjectName } from "./names.ts";
import type { ObjectStore, StoreOptions } from "../stores/store.ts";

/**
 * Gets an object, and takes it out of what it is encrypted in; undefined when it is gone.
 *
 * @throws {MissingKeyError | CorruptObjectError} when it cannot be opened.
 */
export async function fetchObject(
  { store, envelope }: { readonly store: ObjectStore; readonly envelope: Envelope },
  name: ObjectName,
  options: StoreOptions,
): Promise<Uint8Array | undefined> {
  const stored = await store.get(name.key, options);
  return stored && await envelope.open(name, stored);
}
