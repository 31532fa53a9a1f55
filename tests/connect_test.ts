import assert from "node:assert/strict";
import { connect } from "../lib/connect.ts";
import { publish } from "../lib/publish.ts";

Deno.test("publish() does nothing and says so when feedsync is not enabled", async () => {
  await using sync = await connect({ enabled: false, store: "file:/nonexistent/store" });
  const receipt = await publish(sync, { url: "https://example.com/", content: "x" });
  assert.deepEqual(receipt, { status: "disabled", url: "https://example.com/" });
  assert.equal(sync.stream, "");
});
