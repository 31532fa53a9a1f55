/**
 * An S3 service in this process, for tests.
 *
 * @module
 */
import { startFauxqs } from "fauxqs";

/** A service that runs. */
export interface FauxqsServer extends AsyncDisposable {
  /** URL of the S3 service. */
  readonly endpoint: string;
  /** Its region. */
  readonly region: string;
  /** Any access key will do. */
  readonly accessKeyId: string;
  /** Any secret will do. */
  readonly secretAccessKey: string;
}

/** Starts a service with these buckets. */
export async function fauxqsServer(...buckets: string[]): Promise<FauxqsServer> {
  const server = await startFauxqs({ port: 0, logger: false, init: { buckets } });
  return {
    endpoint: `http://127.0.0.1:${server.port}`,
    region: "us-east-1",
    accessKeyId: "test",
    secretAccessKey: "test",
    [Symbol.asyncDispose]: () => server.stop(),
  };
}
