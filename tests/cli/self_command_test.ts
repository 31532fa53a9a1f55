import assert from "node:assert/strict";
import { selfArguments } from "../../lib/cli/demo/self_command.ts";

Deno.test("selfArguments() makes Deno run this command line", async () => {
  const { code, stdout } = await new Deno.Command(Deno.execPath(), {
    args: selfArguments(["help", "watch"], { commandLine: import.meta.resolve("../../cli.ts") }),
  }).output();
  assert.equal(code, 0);
  assert.match(new TextDecoder().decode(stdout), /Usage: feedsync watch/);
});

Deno.test("selfArguments() adds nothing for a compiled feedsync", () => {
  assert.deepEqual(selfArguments(["watch", "--once"], { standalone: true }), ["watch", "--once"]);
});
