/**
 * Which store the benchmarks run on.
 *
 * @module
 */
import type { S3Config } from "@feedsync/feedsync";
import { configFromEnvironment } from "../../lib/config/environment_variables.ts";
import { startProgram } from "./program.ts";

/** A store, or a part of one. */
export interface StoreAddress {
  /** Its URL, without a slash at the end. */
  readonly url: string;
  /** How it is reached. */
  readonly s3: S3Config;
}

/** A store that is ended when it was started for the benchmarks. */
export interface FoundStore extends StoreAddress, AsyncDisposable {
  /** What the report calls it. */
  readonly name: string;
}

const BUCKET = "s3://feedsync-bench";
const CEPH = "http://127.0.0.1:7480";

/**
 * The store at `url`, or in FEEDSYNC_STORE, reached as FEEDSYNC_S3_ENDPOINT and the like say. When
 * none is named: Ceph's gateway where it runs (FEEDSYNC_TEST_CEPH), else fauxqs in a process of its
 * own.
 */
export async function findStore(url: string | undefined): Promise<FoundStore> {
  const { store = url, s3 = {} } = configFromEnvironment(Deno.env.toObject());
  const named = url ?? store;
  if (named !== undefined) {
    const name = s3.endpoint === undefined ? named : `${named} at ${s3.endpoint}`;
    return { name, url: named.replace(/\/+$/, ""), s3, [Symbol.asyncDispose]: async () => {} };
  }
  const ceph = Deno.env.get("FEEDSYNC_TEST_CEPH") || CEPH;
  if (await answers(ceph)) {
    return {
      name: `Ceph at ${ceph}`,
      url: BUCKET,
      s3: service(ceph, "devaccess", "devsecret"),
      [Symbol.asyncDispose]: async () => {},
    };
  }
  const fauxqs = startProgram("fauxqs.ts");
  const { value: endpoint } = await fauxqs.lines.next();
  return {
    name: `fauxqs at ${endpoint}`,
    url: BUCKET,
    s3: service(endpoint as string, "test", "test"),
    [Symbol.asyncDispose]: () => fauxqs[Symbol.asyncDispose](),
  };
}

function service(endpoint: string, accessKeyId: string, secretAccessKey: string): S3Config {
  return { endpoint, region: "us-east-1", accessKeyId, secretAccessKey };
}

async function answers(endpoint: string): Promise<boolean> {
  try {
    const response = await fetch(endpoint);
    await response.body?.cancel();
    return true;
  } catch {
    return false;
  }
}
