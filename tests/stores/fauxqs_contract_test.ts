import { openS3Store } from "../../lib/stores/s3/s3_store.ts";
import { fauxqsServer } from "../servers/fauxqs.ts";
import { testContract } from "./contract.ts";

testContract("fauxqs", async () => {
  const server = await fauxqsServer("feed-sync");
  return {
    open: () => openS3Store({ ...server, bucket: "feed-sync", prefix: "some/prefix/" }),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}, {
  except: {
    "an object of 16 MiB comes back as it was": "fauxqs takes no request of this size",
  },
});
