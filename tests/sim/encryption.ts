import { join } from "node:path";
import { makeKeyFile } from "../../lib/log/encryption/edit_keys.ts";
import type { Envelope } from "../../lib/log/encryption/envelope.ts";
import { JweEnvelope } from "../../lib/log/encryption/jwe_envelope.ts";
import type { KeyedObject } from "../../lib/log/names.ts";
import type { Timeline } from "./timeline.ts";

/** Every so many seeds are encrypted: those whose number can be divided by it. */
export const ENCRYPTED_SEEDS = 8;

/**
 * The real encryption. It works on real threads, whose order nobody knows: so it does one thing after
 * the other, and virtual time stands still meanwhile.
 */
export class Encryption {
  readonly #envelope: Envelope;
  /** What is in the objects, for those who check them. */
  readonly #plain = new WeakMap<Uint8Array, Uint8Array>();
  #last: Promise<unknown> = Promise.resolve();

  private constructor(envelope: Envelope) {
    this.#envelope = envelope;
  }

  /** With a key of its own. */
  static async make(): Promise<Encryption> {
    const directory = await Deno.makeTempDir({ prefix: "feedsync-sim-" });
    const keys = join(directory, "keys.json");
    await makeKeyFile(keys);
    const envelope = await JweEnvelope.open({ keys, allowPlaintext: false }, "sim:");
    await Deno.remove(directory, { recursive: true }); // Keys stay known while their file is gone.
    return new Encryption(envelope);
  }

  /** What servers store their objects in. */
  envelope(timeline: Timeline): Envelope {
    return {
      revision: this.#envelope.revision,
      readsPlain: this.#envelope.readsPlain,
      encrypt: (name, bytes) => timeline.hold(() => this.#inTurn(() => this.#encrypt(name, bytes))),
      decrypt: (name, stored) =>
        timeline.hold(() => this.#inTurn(() => this.#envelope.decrypt(name, stored))),
      isCurrent: (name, stored) => this.#envelope.isCurrent(name, stored),
      digests: (text) => timeline.hold(() => this.#inTurn(() => this.#envelope.digests(text))),
    };
  }

  /** What was encrypted in an object. */
  plain(stored: Uint8Array): Uint8Array {
    return this.#plain.get(stored) ?? stored;
  }

  async #encrypt(name: KeyedObject, bytes: Uint8Array): Promise<Uint8Array> {
    const stored = await this.#envelope.encrypt(name, bytes);
    this.#plain.set(stored, bytes);
    return stored;
  }

  async #inTurn<T>(work: () => T | Promise<T>): Promise<T> {
    const turn = this.#last.then(work);
    this.#last = turn.catch(() => {});
    return await turn;
  }
}
