/**
 * Encrypts objects as JWEs (RFC 7516) in compact serialization, with AES-256-GCM. The protected
 * header holds the key of the object in the bucket, so that no object can take the place of
 * another.
 *
 * @module
 */
import { compactDecrypt, CompactEncrypt, type CompactJWEHeaderParameters } from "jose";
import type { ResolvedEncryption } from "../../config/encryption.ts";
import { CorruptObjectError, FeedSyncError, messageOf, MissingKeyError } from "../../errors.ts";
import type { KeyedObject } from "../names.ts";
import { claimedKid, type Digests, type Envelope, PlainObjectError } from "./envelope.ts";
import { formatOf } from "../../stores/body_format.ts";
import { encodedHeader, kidOf } from "./jwe_header.ts";
import { KeyFile } from "./key_file.ts";

const ALGORITHMS = { alg: "dir", enc: "A256GCM" } as const;

/**
 * The header parameter with the key of the object. It is critical (`crit`): a reader that does not
 * know it must refuse the object, rather than ignore where it comes from.
 */
const PLACE = "feedsync";

const OPTIONS = {
  crit: { [PLACE]: true },
  keyManagementAlgorithms: [ALGORITHMS.alg],
  contentEncryptionAlgorithms: [ALGORITHMS.enc],
  maxDecompressedLength: 0,
};

/** Maximum length of an untrusted text in a message. */
const MAX_SHOWN_CHARACTERS = 200;

/** Encrypts with the first key of a file, decrypts with all, and hashes with the names keys. */
export class JweEnvelope implements Envelope {
  readonly #file: KeyFile;
  readonly #allowPlaintext: boolean;
  readonly #root: string;

  private constructor(file: KeyFile, allowPlaintext: boolean, root: string) {
    this.#file = file;
    this.#allowPlaintext = allowPlaintext;
    this.#root = root;
  }

  /**
   * Opens the envelope for the objects of the store at the URL `store`.
   *
   * @throws {ConfigError} when the keys cannot be used.
   */
  static async open(
    { keys, allowPlaintext }: ResolvedEncryption,
    store: string,
  ): Promise<Envelope> {
    return new JweEnvelope(await KeyFile.open(keys), allowPlaintext, rootOf(store));
  }

  get revision(): number {
    return this.#file.revision;
  }

  get readsPlain(): boolean {
    return this.#allowPlaintext;
  }

  async encrypt({ key }: KeyedObject, bytes: Uint8Array): Promise<Uint8Array> {
    await this.#file.look();
    const { kid, secret } = this.#file.keys.first;
    const header = { ...ALGORITHMS, kid, crit: [PLACE], [PLACE]: this.#root + key };
    const jwe = await new CompactEncrypt(bytes)
      .setProtectedHeader(header)
      .encrypt(secret, { crit: OPTIONS.crit });
    return new TextEncoder().encode(jwe);
  }

  isCurrent(name: KeyedObject, stored: Uint8Array): boolean {
    return formatOf(stored) === "jwe" && claimedKid(name, stored) === this.#file.keys.first.kid;
  }

  async digests(text: string): Promise<Digests> {
    await this.#file.look();
    const bytes = new TextEncoder().encode(text);
    const { names, formerNames } = this.#file.keys;
    const digest = async (key: CryptoKey) =>
      new Uint8Array(await crypto.subtle.sign("HMAC", key, bytes));
    return [await digest(names), ...await Promise.all(formerNames.map(digest))];
  }

  async decrypt(name: KeyedObject, stored: Uint8Array): Promise<Uint8Array> {
    if (formatOf(stored) !== "jwe") return this.#admitPlain(name, stored);
    encodedHeader(name, stored); // Refuses an endless header, which the library would read.
    try {
      const keyFor = (header: CompactJWEHeaderParameters) => this.#keyFor(name, header);
      return (await compactDecrypt(stored, keyFor, OPTIONS)).plaintext;
    } catch (cause) {
      if (cause instanceof FeedSyncError) throw cause;
      throw new CorruptObjectError(
        name.key,
        `it was modified, or is not encrypted with the key that it names (${messageOf(cause)})`,
        { cause },
      );
    }
  }

  #admitPlain({ key }: KeyedObject, stored: Uint8Array): Uint8Array {
    if (this.#allowPlaintext) return stored;
    if (formatOf(stored) !== undefined) throw new PlainObjectError(key);
    throw new CorruptObjectError(key, "it is neither encrypted nor an update");
  }

  async #keyFor(name: KeyedObject, header: CompactJWEHeaderParameters): Promise<CryptoKey> {
    const { key } = name;
    const { zip, [PLACE]: place } = header;
    if (zip !== undefined) throw new CorruptObjectError(key, "its header has 'zip'");
    if (place !== this.#root + key) {
      throw new CorruptObjectError(key, `it was encrypted as ${shown(place)}`);
    }
    const kid = kidOf(name, header);
    await this.#file.look();
    const known = this.#file.keys.keys.get(kid);
    if (!known) throw new MissingKeyError(key, kid, `that is not in ${this.#file.path}`);
    return known.secret;
  }
}

/**
 * The prefix of the keys in the bucket, so that no object can be moved to another prefix. The name
 * of the bucket or directory is not included, since it may be copied.
 */
function rootOf(store: string): string {
  const prefix = /^s3:\/\/[^/]+\/(.+)$/.exec(store)?.[1];
  return prefix === undefined ? "" : `${prefix}/`;
}

function shown(value: unknown): string {
  return typeof value === "string"
    ? JSON.stringify(value.slice(0, MAX_SHOWN_CHARACTERS))
    : "nothing";
}
