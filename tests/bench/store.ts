/**
 * Which store the benchmarks run on.
 *
 * @module
 */
import type { S3Config } from "@feedsync/feedsync";
import { configFromEnvironment } from "../../lib/config/environment_variables.ts";
import { cephServer, isCephInstalled } from "../servers/ceph.ts";
import { makeBucket } from "../servers/made_bucket.ts";
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

/**
 * The store at `url`, or in FEEDSYNC_STORE, reached as FEEDSYNC_S3_ENDPOINT and the like say. When
 * none is named: Ceph's gateway as the tests have it, else fauxqs in a process of its own.
 */
export async function findStore(url: string | undefined): Promise<FoundStore> {
  const { config: { store, s3 = {} } } = configFromEnvironment(Deno.env.toObject());
  const named = url ?? store;
  if (named === undefined) return await findCeph() ?? await startFauxqs();
  return {
    name: s3.endpoint === undefined ? named : `${named} at ${s3.endpoint}`,
    url: named.replace(/\/+$/, ""),
    s3,
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

/** A new directory. */
export async function directoryStore(): Promise<FoundStore> {
  const path = await Deno.makeTempDir({ prefix: "feedsync-bench-" });
  return {
    name: "a directory",
    url: `file:${path}`,
    s3: {},
    [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }),
  };
}

/** Ceph's gateway as the tests have it, where it is. */
export async function findCeph(): Promise<FoundStore & { directory: string } | undefined> {
  const isThere = Deno.env.get("FEEDSYNC_TEST_CEPH") || await isCephInstalled();
  const server = isThere ? await cephServer() : undefined;
  return server && { ...await serviceStore("Ceph", server, server), directory: server.directory };
}

async function startFauxqs(): Promise<FoundStore> {
  const program = startProgram("fauxqs.ts");
  const { value } = await program.lines.next();
  return await serviceStore("fauxqs", JSON.parse(value), program);
}

async function serviceStore(
  name: string,
  { endpoint, accessKeyId, secretAccessKey }: S3Config,
  running: AsyncDisposable,
): Promise<FoundStore> {
  const url = "s3://feedsync-bench";
  const s3 = { endpoint, region: "us-east-1", accessKeyId, secretAccessKey };
  await makeBucket({ store: url, s3 });
  return {
    name: `${name} at ${endpoint}`,
    url,
    s3,
    [Symbol.asyncDispose]: () => running[Symbol.asyncDispose](),
  };
}
