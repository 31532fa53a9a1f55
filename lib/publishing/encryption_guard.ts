/**
 * Keeps a server without keys from publishing among encrypted updates, where everybody who reads the bucket
 * could read its own; and a server with keys from publishing to servers that have none, which could read
 * nothing of it.
 *
 * @module
 */
import { ConfigError } from "../errors.ts";
import type { BucketLog } from "../log/bucket_log.ts";
import type { EncryptionSample } from "../log/encryption/sample.ts";
import type { Core } from "../state/core.ts";
import type { StoreOptions } from "../stores/store.ts";

/** A bucket that was refused is looked at again after this time: perhaps it was emptied. */
const REFUSED_MS = 60 * 60 * 1000;

/**
 * Looks into the bucket once, before a state uploads for the first time, or encrypts for the first time, or
 * no longer does. The state remembers the outcome.
 */
export class EncryptionGuard {
  #isAdmitted = false;
  #refused: { readonly error: ConfigError; readonly until: number } | undefined;

  /**
   * To be called before anything is uploaded. While nothing was ever queued it does nothing.
   *
   * @throws {ConfigError} when the servers of the bucket encrypt and this one does not, or the other way
   * round, unless it has `allowPlaintext`: then they are being switched to encryption.
   */
  async admit({ state, log, environment: { clock } }: Core, options: StoreOptions): Promise<void> {
    this.#isAdmitted ||= state.fact("publishes") === wayOf(log);
    if (this.#isAdmitted || log.encrypts && log.readsPlain) return;
    if (state.outbox.lastRow() === 0) return;
    if (this.#refused && clock.elapsed() < this.#refused.until) throw this.#refused.error;
    const sample = await log.sampleEncryption(options);
    if (!sample) return; // The bucket is empty: the next upload looks again, unless this one is done.
    if (sample.isEncrypted !== log.encrypts) {
      this.#refused = { error: refusal(log, sample), until: clock.elapsed() + REFUSED_MS };
      throw this.#refused.error;
    }
    state.transaction(() => this.uploaded({ state, log }), { durable: false });
  }

  /** To be called in the transaction that notes an upload. */
  uploaded({ state, log }: Pick<Core, "state" | "log">): void {
    if (!this.#isAdmitted) state.setFact("publishes", wayOf(log));
    this.#isAdmitted = true;
  }
}

function wayOf({ encrypts }: BucketLog): "encrypted" | "plain" {
  return encrypts ? "encrypted" : "plain";
}

function refusal({ url, encrypts }: BucketLog, { key }: EncryptionSample): ConfigError {
  return new ConfigError(
    encrypts
      ? `Cannot publish to ${url} with encryption: the updates there are not encrypted (${key}), so the ` +
        "servers there have no keys and could not read those of this one; check 'store', remove " +
        "'encryption', or, to encrypt from now on, set 'encryption.allowPlaintext' until all servers do"
      : `Cannot publish to ${url} without encryption: the updates there are encrypted (${key}), and ` +
        "everybody who can read the bucket could read those of this server; check 'store', and set " +
        "'encryption.keys' to a copy of the key file of the other servers",
  );
}
