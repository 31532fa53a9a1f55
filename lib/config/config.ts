/**
 * The configuration as users write it: the core keys and the sections.
 *
 * @module
 */
import type { ApiConfig } from "./api.ts";
import type { CoreConfig } from "./core.ts";
import type { EncryptionConfig } from "./encryption.ts";
import type { FilesConfig } from "./files.ts";
import type { S3Config } from "./s3.ts";
import type { TurnsConfig } from "./turns.ts";
import type { WakeConfig } from "./wake.ts";

/** The configuration, as in a file or for `connect()`. All keys are optional. */
export interface Config extends CoreConfig {
  /** How to reach an S3-compatible store. */
  readonly s3?: S3Config | undefined;
  /** Encryption of the bucket and of messages to peers. @default no encryption */
  readonly encryption?: EncryptionConfig | undefined;
  /** Publishes the `.feed` files of a directory. */
  readonly files?: FilesConfig | undefined;
  /** The local HTTP API, by which programs in any language take part. @default none */
  readonly api?: ApiConfig | undefined;
  /** How this server takes turns with others at fetching feeds. */
  readonly turns?: TurnsConfig | undefined;
  /** Sources that announce updates before the next poll. @default only polls */
  readonly wake?: WakeConfig | undefined;
}
