/**
 * Objects of former streams that cannot be read for lack of a key. What they hold is not known, so
 * that they do not count as seen; but it is of no use to look at them again before the keys change.
 *
 * @module
 */
import type { BucketLog } from "../../log/bucket_log.ts";
import type { ObjectName } from "../../log/names.ts";

/** The objects that the present keys do not open. */
export class LockedObjects {
  readonly #log: Pick<BucketLog, "keysRevision">;
  readonly #keys = new Set<string>();
  #revision: number;

  /** None is known yet. */
  constructor(log: Pick<BucketLog, "keysRevision">) {
    this.#log = log;
    this.#revision = log.keysRevision;
  }

  /** Remembers one. */
  add({ key }: ObjectName): void {
    this.#forgetWithKeys();
    this.#keys.add(key);
  }

  /** Whether the object was found to be one of them. */
  has({ key }: ObjectName): boolean {
    this.#forgetWithKeys();
    return this.#keys.has(key);
  }

  #forgetWithKeys(): void {
    if (this.#revision === this.#log.keysRevision) return;
    this.#keys.clear();
    this.#revision = this.#log.keysRevision;
  }
}
