/** The contract at the service that `deno task test:stores` has started. */
import { openS3Store } from "../../lib/stores/s3/s3_store.ts";
import { namedStore } from "../servers/stores/start.ts";
import { testContract } from "./contract.ts";

const server = namedStore();
if (server === undefined) throw new Error("Cannot test a store: run `deno task test:stores`");

testContract(server.name, () => {
  const bucket = `feedsync-${crypto.randomUUID()}`;
  return Promise.resolve({
    open: () => openS3Store({ ...server, bucket, prefix: "some/prefix/" }),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  });
}, server);
