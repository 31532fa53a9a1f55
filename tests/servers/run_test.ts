import assert from "node:assert/strict";
import { summarize } from "./run.ts";

Deno.test("summarize() adds up what Deno says last", () => {
  assert.equal(summarize("ok | 2 passed | 0 failed (7ms)\n"), "2 passed, 0 failed");
  assert.equal(
    summarize("\x1b[31mFAILED\x1b[0m | 12 passed (3 steps) | 1 failed (1 step) | 4 ignored (2s)\n"),
    "12 passed, 1 failed, 4 skipped",
  );
  assert.equal(
    summarize("printed | 9 passed | 9 failed\n\nok | 1 passed | 0 failed (7ms)\n"),
    "1 passed, 0 failed",
  );
  assert.equal(summarize("error: Type checking failed\n"), "0 passed, 0 failed");
});
