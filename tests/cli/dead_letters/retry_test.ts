import assert from "node:assert/strict";
import { join } from "node:path";
import { connect, publish } from "../../../mod.ts";
import { Running } from "../running.ts";
import { letter, PICKY, serverWith, statuses, TIME, UPDATE } from "./server.ts";

Deno.test("dead-letters retry drops what is applied, and keeps what fails with its error", async () => {
  await using server = await serverWith([letter(1), letter(2), letter(3)]);
  server.fill();
  await server.write("broken", "Still broken");
  const failed = await server.run("retry", "2", "3");
  assert.equal(failed.code, 1);
  assert.match(failed.stderr, /^error: Cannot apply 2 dead letters, keeping them$/m);
  assert.match(failed.stdout, /^failed {2}2 .* Still broken\nfailed {2}3 .* Still broken\n$/);
  assert.deepEqual(server.kept(), [[1, "Error 1"], [2, "Still broken"], [3, "Still broken"]]);
  const one = await server.run("retry", "2");
  assert.match(one.stderr, /^error: Cannot apply 1 dead letter, keeping it$/m);
  await server.remove("broken");
  const applied = await server.run("retry", "2", "--json");
  assert.equal(applied.code, 0, applied.stderr);
  assert.deepEqual(statuses(applied), [["applied", 2]]);
  assert.deepEqual(statuses(await server.run("retry", "--all", "--json")), [
    ["applied", 1],
    ["applied", 3],
  ]);
  assert.deepEqual(server.kept(), []);
  const nothing = await server.run("retry");
  assert.deepEqual([nothing.code, nothing.stdout], [0, ""]);
});

Deno.test("dead-letters retry hands over the update as it was, and whether it is superseded now", async () => {
  const bytes = new Uint8Array([255, 0]);
  const other = "https://example.com/other";
  await using server = await serverWith([
    letter(1, { content: { b: [null] } }),
    letter(2, { content: bytes, url: other }),
  ]);
  server.fill();
  {
    using state = server.open();
    const newer = { time: TIME + 1, id: crypto.randomUUID(), hash: null };
    state.transaction(() => state.newest.note(other, newer));
  }
  const { code, stderr } = await server.run("retry");
  assert.equal(code, 0, stderr);
  assert.equal(await server.file("applied"), '{"b":[null]}\nbytes 255,0 superseded\n');
});

Deno.test("dead-letters retry ends a call that never returns with its timeout", async () => {
  await using server = await serverWith([letter(1), letter(2)], { callbackTimeout: "50ms" });
  server.fill();
  await server.write(
    "picky.ts",
    `export default {
      name: "picky",
      onUpdate: ({ seq }) => seq === 1 ? new Promise(() => {}) : undefined,
    };`,
  );
  assert.equal((await server.run("retry")).code, 1);
  assert.deepEqual(server.kept(), [[1, "The call took longer than 0.05 s"]]);
});

Deno.test("dead-letters retry goes on when a plugin leaves a failure behind", async () => {
  await using server = await serverWith([letter(1), letter(2)]);
  server.fill();
  await server.write(
    "picky.ts",
    `export default {
      name: "picky",
      async onUpdate() {
        const failed = new Promise((resolve) => addEventListener("unhandledrejection", resolve));
        Promise.reject(new Error("rejected later"));
        await failed;
      },
    };`,
  );
  const { code, stderr } = await server.run("retry");
  assert.equal(code, 0, stderr);
  assert.match(stderr, /left behind by a plugin: rejected later/);
  assert.deepEqual(server.kept(), []);
});

Deno.test("a dead letter of a plugin that is not configured any more holds up no other", async () => {
  await using server = await serverWith([letter(1, { plugin: "gone" }), letter(2)]);
  server.fill();
  const { code, stdout } = await server.run("retry");
  assert.equal(code, 1);
  assert.match(stdout, /^failed {2}1 .* No plugin with the name gone is configured\napplied {2}2 /);
  assert.deepEqual(server.kept(), [[1, "Error 1"]]);
});

Deno.test({
  name: "dead-letters retry that is stopped by a signal keeps the letter",
  ignore: Deno.build.os === "windows",
  async fn() {
    await using server = await serverWith([letter(1)], { stopTimeout: "0s" });
    server.fill();
    await server.write(
      "picky.ts",
      `export default {
        name: "picky",
        onUpdate: (_, { logger }) => new Promise(() => logger.info("begun")),
      };`,
    );
    await using retry = new Running(["dead-letters", "retry"], { cwd: server.path });
    await retry.says(/begun/);
    retry.kill("SIGTERM");
    const { code, stderr } = await retry.end();
    assert.equal(code, 143, stderr);
    assert.deepEqual(server.kept(), [[1, "Error 1"]]);
  },
});

Deno.test({
  name: "what a plugin rejects can be listed and applied beside the watch that goes on",
  ignore: Deno.build.os === "windows",
  async fn() {
    const mod = new URL("../../../mod.ts", import.meta.url);
    await using server = await serverWith([]);
    const rejecting = PICKY.replace("new Error(", "new RejectedUpdateError(");
    await server.write("picky.ts", `import { RejectedUpdateError } from "${mod}";\n${rejecting}`);
    await server.write("broken", "Not like this");
    await using sync = await connect({
      store: `file:${join(server.path, "store")}`,
      server: "web-1",
    });
    await publish(sync, { url: UPDATE.url, content: "a" });

    await using watch = new Running(["watch"], { cwd: server.path });
    await watch.says(/picky cannot apply https:\/\/example\.com\/ .*: Not like this/);
    await server.remove("broken");
    const [{ id, url, seq, error }] = (await server.run("list", "--json")).json();
    assert.deepEqual([url, seq, error], [UPDATE.url, 1, "Not like this"]);
    assert.equal((await server.run("retry", String(id))).code, 0);
    assert.equal(await server.file("applied"), '"a"\n');
    assert.deepEqual(server.kept(), []);
    watch.kill("SIGTERM");
    assert.equal((await watch.end()).code, 0);
  },
});
