/**
 * When the own tail is looked at for forks: on becoming the uploader, with every listing that is
 * made anyway, before sealing, and at least hourly.
 *
 * @module
 */
import { mayBeContested, settleContested } from "./contested.ts";
import type { Clock } from "../../base/environment.ts";
import type { StoreOptions } from "../../stores/store.ts";
import type { StoredCommit, UploadContext } from "../commit.ts";
import { checkOwnTail, forgetGone, isSuspicious, listOwnTail, type OwnTail } from "./own_tail.ts";

/** A process that uploads without polling looks at least so often, in milliseconds. */
const CHECK_INTERVAL = 60 * 60 * 1000;

/** Somebody polls when a listing was taken within so many milliseconds. */
const POLLING = 60_000;

/** Looks at the own tail, with as few listings as possible. */
export class ForkWatch {
  readonly #clock: Clock;
  #tail: OwnTail | undefined;
  #taken = -Infinity;
  #nextLook = -Infinity;

  /** Nothing was looked at yet. */
  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** When the next look is due even if nothing happens. */
  get nextLook(): number {
    return this.#nextLook;
  }

  /**
   * Takes a listing that was made anyway; whether it must be looked into. Without a context another
   * process may be the uploader: then it is kept for the time when this one is.
   */
  take(tail: OwnTail, context: UploadContext | undefined): boolean {
    this.#taken = this.#clock.elapsed();
    this.#nextLook = this.#taken + CHECK_INTERVAL;
    if (context) forgetGone(context, tail);
    if (context && !isSuspicious(context, tail) && !this.#isContested(context, tail)) return false;
    this.#tail = tail;
    return true;
  }

  /**
   * Looks into the listing that was taken; makes one when there is none and a look is due. Resolves to
   * what was stored.
   */
  async look(context: UploadContext, options: StoreOptions): Promise<StoredCommit[]> {
    const isDue = this.#tail || this.#clock.elapsed() >= this.#nextLook;
    return isDue ? await this.#look(context, options) : [];
  }

  /** The same before sealing: a look is due, unless somebody polls. */
  async lookBeforeSealing(context: UploadContext, options: StoreOptions): Promise<StoredCommit[]> {
    const isDue = this.#tail || this.#clock.elapsed() - this.#taken >= POLLING;
    return isDue ? await this.#look(context, options) : [];
  }

  async #look(context: UploadContext, options: StoreOptions): Promise<StoredCommit[]> {
    const taken = this.#tail;
    const tail = taken ?? await listOwnTail(context, options);
    forgetGone(context, tail);
    const stored = [...await checkOwnTail(context, tail, options)];
    // The own stream, too: it may have been given up just now.
    stored.push(...await settleContested(context, [...tail.former, ...tail.commits], options));
    if (this.#tail === taken) this.#tail = undefined; // Not one that was taken meanwhile.
    this.#nextLook = this.#clock.elapsed() + CHECK_INTERVAL;
    return stored;
  }

  #isContested(context: UploadContext, { former }: OwnTail): boolean {
    return context.state.former.all(this.#clock.now()).some((stream) =>
      mayBeContested(context, stream, former)
    );
  }
}
