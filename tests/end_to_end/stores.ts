import type { S3Config } from "../../mod.ts";
import { cephServer } from "../servers/ceph.ts";
import { fauxqsServer } from "../servers/fauxqs.ts";
import { makeBucket } from "../servers/made_bucket.ts";
import { namedStore } from "../servers/stores/start.ts";

/** A store that is empty at first. */
export interface TestStore {
  /** How to connect to it. */
  readonly config: { readonly store: string; readonly s3?: S3Config };
}

const named = namedStore();
const ceph = named ? undefined : await cephServer();
Deno.test.afterAll(async () => await ceph?.[Symbol.asyncDispose]());

/**
 * Registers a test on a directory, on `fauxqs`, and on Ceph's gateway where it is installed; with
 * `deno task test:stores` on the service that it has started.
 */
export function onEveryStore(name: string, test: (store: TestStore) => Promise<void>): void {
  if (named) {
    const why = named.except[name];
    if (why !== undefined) console.log(`skipped: ${named.name}: ${name} (${why})`);
    Deno.test(
      `${name} (${named.name})`,
      { ignore: why !== undefined },
      () => testAt(named, test),
    );
    return;
  }
  Deno.test(`${name} (directory)`, async () => {
    const path = await Deno.makeTempDir();
    try {
      await test({ config: { store: `file:${path}/store` } });
    } finally {
      await Deno.remove(path, { recursive: true });
    }
  });
  Deno.test(`${name} (fauxqs)`, async () => {
    await using fauxqs = await fauxqsServer();
    await testAt(fauxqs, test);
  });
  Deno.test(`${name} (Ceph)`, { ignore: ceph === undefined }, () => testAt(ceph!, test));
}

/** Runs the test with a new bucket of the service. */
async function testAt(
  { endpoint, accessKeyId, secretAccessKey }: Required<
    Pick<S3Config, "endpoint" | "accessKeyId" | "secretAccessKey">
  >,
  test: (store: TestStore) => Promise<void>,
): Promise<void> {
  const store = `s3://feedsync-${crypto.randomUUID()}/prefix`;
  const config = { store, s3: { endpoint, region: "us-east-1", accessKeyId, secretAccessKey } };
  await makeBucket(config);
  await test({ config });
}
