import assert from "node:assert/strict";
import { workspace } from "./feedsync.ts";

const ROOT = new URL("../../", import.meta.url).pathname;

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
  const [, command] = /^npx -y deno@\S+ (task .*demo)$/m.exec(
    await Deno.readTextFile(`${ROOT}README.md`),
  )!;
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: command.split(" "),
    cwd: ROOT,
    env: { NO_COLOR: "1", DENO_NO_UPDATE_CHECK: "1", DENO_DIR: cache.path },
    stdin: "null",
  }).output();
  const [shown, told] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
  assert.equal(code, 0, shown + told);
  assert.match(told, /^(Loading the packages that the servers need, which is done once …\n)?$/);
  assert.doesNotMatch(shown, /Download|registry/);
  assert.match(shown, /\nEvery server applied every update, exactly in order\.\n/);
});
