/**
 * The part of the configuration that is about S3-compatible stores.
 *
 * @module
 */

/** How to reach an S3-compatible store. What is absent is found as the AWS SDK finds it. */
export interface S3Config {
  /** URL of the service; needed for everything but AWS. */
  readonly endpoint?: string;
  /** Region. */
  readonly region?: string;
  /** Access key. */
  readonly accessKeyId?: string;
  /** Secret of the access key. Better kept in the environment than in a file. */
  readonly secretAccessKey?: string;
  /** Token of temporary credentials. */
  readonly sessionToken?: string;
  /** Profile in the AWS configuration files. */
  readonly profile?: string;
  /** `https://host/bucket` instead of `https://bucket.host`. @default {true} with an endpoint */
  readonly forcePathStyle?: boolean;
}
