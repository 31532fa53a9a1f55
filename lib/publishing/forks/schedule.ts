/**
 * When the own tail is checked for forks: on becoming the uploader, with every listing that is made anyway,
 * before sealing, and at least hourly.
 *
 * @module
 */
import type { Clock } from "../../base/environment.ts";
import type { StoreOptions } from "../../stores/store.ts";
import type { StoredCommit, UploadContext } from "../commit.ts";
import {
  detectFork,
  forgetMissingGarbage,
  listOwnTail,
  needsCheck,
  type OwnTail,
} from "./detect.ts";
import { mayConflict, republishFormer } from "./republish.ts";

/** A process that uploads without polling checks at least so often. */
const MAX_CHECK_INTERVAL_MS = 60 * 60 * 1000;

/** Sealing needs no check of its own when a listing was taken this recently: then somebody polls. */
const MAX_LISTING_AGE_MS = 60_000;

/** Checks the own tail for forks, with as few listings as possible. */
export class ForkChecks {
  readonly #clock: Clock;
  /** A listing that must be checked. */
  #tail: OwnTail | undefined;
  #listedAt = -Infinity;
  #nextCheck = -Infinity;

  /** The first check is due at once. */
  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** When the next check is due even if nothing happens. */
  get nextCheck(): number {
    return this.#nextCheck;
  }

  /** Whether {@linkcode checkWhenDue} has something to check. */
  get isDue(): boolean {
    return this.#tail !== undefined || this.#clock.elapsed() >= this.#nextCheck;
  }

  /**
   * Takes a listing that was made anyway; returns whether it must be checked. Without a context another
   * process may be the uploader: then the listing is kept until this one is.
   */
  take(tail: OwnTail, context: UploadContext | undefined): boolean {
    this.#listedAt = this.#clock.elapsed();
    this.#nextCheck = this.#listedAt + MAX_CHECK_INTERVAL_MS;
    if (context) forgetMissingGarbage(context, tail);
    if (context && !needsCheck(context, tail) && !this.#mayConflict(context, tail)) return false;
    this.#tail = tail;
    return true;
  }

  /** Checks the listing that was taken, or a new one when a check is due; resolves to what was stored. */
  async checkWhenDue(context: UploadContext, options: StoreOptions): Promise<StoredCommit[]> {
    return this.isDue ? await this.#check(context, options) : [];
  }

  /** The same before sealing: a check is due, unless somebody polls. */
  async checkBeforeSealing(context: UploadContext, options: StoreOptions): Promise<StoredCommit[]> {
    const isDue = this.#tail || this.#clock.elapsed() - this.#listedAt >= MAX_LISTING_AGE_MS;
    return isDue ? await this.#check(context, options) : [];
  }

  async #check(context: UploadContext, options: StoreOptions): Promise<StoredCommit[]> {
    const taken = this.#tail;
    const tail = taken ?? await listOwnTail(context, options);
    forgetMissingGarbage(context, tail);
    const stored = [...await detectFork(context, tail, options)];
    // Also of the own stream: it may have been given up just now.
    stored.push(...await republishFormer(context, [...tail.former, ...tail.commits], options));
    if (this.#tail === taken) this.#tail = undefined; // Another one may have been taken meanwhile.
    this.#nextCheck = this.#clock.elapsed() + MAX_CHECK_INTERVAL_MS;
    return stored;
  }

  #mayConflict(context: UploadContext, { former }: OwnTail): boolean {
    return context.state.former.all(this.#clock.now()).some((stream) =>
      mayConflict(context, stream, former)
    );
  }
}
