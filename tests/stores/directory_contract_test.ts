import { openDirectoryStore } from "../../lib/stores/directory/directory_store.ts";
import { testContract } from "./contract.ts";

testContract("directory", async () => {
  const path = await Deno.makeTempDir({ prefix: "feedsync store " });
  return {
    open: () => Promise.resolve(openDirectoryStore(path)),
    [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }),
  };
});
