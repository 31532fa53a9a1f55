import type { S3Config } from "../../mod.ts";
import { cephServer } from "../servers/ceph.ts";
import { fauxqsServer } from "../servers/fauxqs.ts";
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
      () => test({ config: s3(named) }),
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
    await test({ config: s3(fauxqs) });
  });
  Deno.test(`${name} (Ceph)`, { ignore: ceph === undefined }, () => test({ config: s3(ceph!) }));
}

function s3(
  { endpoint, accessKeyId, secretAccessKey }: Required<
    Pick<S3Config, "endpoint" | "accessKeyId" | "secretAccessKey">
  >,
) {
  const store = `s3://feedsync-${crypto.randomUUID()}/prefix`;
  return { store, s3: { endpoint, region: "us-east-1", accessKeyId, secretAccessKey } };
}
