import assert from "node:assert/strict";
import { start, workspace } from "./feedsync.ts";

const REGISTRY = "https://registry.npmjs.org/";

async function isReachable(url: string): Promise<boolean> {
  try {
    const response = await fetch(url, { method: "HEAD", signal: AbortSignal.timeout(5000) });
    await response.body?.cancel();
    return true;
  } catch {
    return false;
  }
}

Deno.test("the first demo on a machine shows nothing but the demo", async () => {
  if (!await isReachable(REGISTRY)) {
    return console.log(`skipped: with an empty cache packages come from ${REGISTRY}`);
  }
  await using cache = await workspace();
  await using cwd = await workspace();
  const process = start(["demo"], { cwd: cwd.path, env: { DENO_DIR: cache.path } });
  await process.stdin.close();
  const { code, stdout, stderr } = await process.output();
  const [shown, told] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
  assert.equal(code, 0, shown + told);
  assert.match(told, /^(Loading the packages that the servers need, which is done once …\n)?$/);
  assert.doesNotMatch(shown, /Download|registry/);
  assert.ok(shown.endsWith("Every server applied every update, exactly in order.\n"));
});
