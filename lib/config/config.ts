/**
 * The configuration, as users write it: the core keys and the sections.
 *
 * @module
 */
import type { CoreConfig } from "./core.ts";
import type { EncryptionConfig } from "./encryption.ts";
import type { FilesConfig } from "./files.ts";
import type { S3Config } from "./s3.ts";
import type { WakeConfig } from "./wake.ts";

/** What the configuration file holds and `connect()` takes. Everything is optional. */
export interface Config extends CoreConfig {
  /** How to reach an S3-compatible store. */
  readonly s3?: S3Config | undefined;
  /** Encrypt what is kept in the bucket. @default no encryption */
  readonly encryption?: EncryptionConfig | undefined;
  /** Publish the `.feed` files of a directory. */
  readonly files?: FilesConfig | undefined;
  /** Be told of updates before the next poll. @default polls only */
  readonly wake?: WakeConfig | undefined;
}
