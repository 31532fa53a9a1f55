/** The contract at the service that `deno task test:stores` has started. */
import { openS3Store } from "../../lib/stores/s3/s3_store.ts";
import { namedStore } from "../servers/stores/start.ts";
import { testContract } from "./contract.ts";

const server = namedStore();
if (server === undefined) throw new Error("Cannot test a store: run `deno task test:stores`");

testContract(server.name, async () => {
  const bucket = `feedsync-${crypto.randomUUID()}`;
  const open = () => openS3Store({ ...server, bucket, prefix: "some/prefix/" });
  await using store = await open();
  await store.create?.();
  return { open, [Symbol.asyncDispose]: () => Promise.resolve() };
}, server);
