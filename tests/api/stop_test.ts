import assert from "node:assert/strict";
import { join } from "node:path";
import { ConfigError } from "../../lib/errors.ts";
import { tokenFile } from "../../lib/api/token.ts";
import { hanging } from "../memory_store.ts";
import { raw, requestText, statusIn } from "./raw.ts";
import { ApiUnderTest, TOKEN } from "./server.ts";

const AUTHORIZED = { Host: "anything", Authorization: `Bearer ${TOKEN}` };

Deno.test("the stop answers what waits, and waits for nobody", async () => {
  await using server = await ApiUnderTest.start();
  await server.send("PUT", "/v1/consumers/me", { from: "now" });
  server.store.before("put", hanging());
  const waiting = server.get("/v1/consumers/me/updates?wait=25s");
  const publishing = server.post("/v1/updates", { url: "https://example.com/", content: "a" });
  using half = await Deno.connect({ port: server.port });
  const headers = { Host: "localhost", Authorization: `Bearer ${TOKEN}` };
  const begun = requestText("POST /v1/due", {
    ...headers,
    "Content-Type": "application/json",
    "Content-Length": "100",
  });
  await half.write(new TextEncoder().encode(begun));
  using idle = await Deno.connect({ port: server.port });
  while (server.connection.parts!.state.outbox.lastRow() === 0) await server.get("/livez");
  await server.api.close();
  const [empty, queued] = await Promise.all([waiting, publishing]);
  assert.deepEqual([empty.status, empty.text], [200, ""]);
  assert.deepEqual([queued.status, queued.json.status], [202, "queued"]);
  assert.equal(await idle.read(new Uint8Array(1)), null);
  await assert.rejects(fetch(`${server.origin}/livez`));
});

Deno.test("the API is closed with its connection", async () => {
  await using server = await ApiUnderTest.start();
  await server.connection.close();
  await assert.rejects(fetch(`${server.origin}/livez`));
});

Deno.test("a port that is in use is an error of the configuration", async () => {
  await using server = await ApiUnderTest.start();
  const listen = server.api.address;
  await assert.rejects(ApiUnderTest.start({ api: { listen } }), (error) => {
    assert.ok(error instanceof ConfigError);
    assert.ok(error.message.startsWith(`Cannot listen at ${listen} for the API: `));
    return true;
  });
});

async function directory(): Promise<AsyncDisposable & { path: string }> {
  const path = await Deno.makeTempDir();
  return { path, [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }) };
}

Deno.test("a socket is for owner and group, and takes any name for a host", async () => {
  await using home = await directory();
  const path = join(home.path, "api.sock");
  {
    await using _server = await ApiUnderTest.start({
      api: { listen: `unix:${path}`, group: String(Deno.gid()) },
    });
    assert.equal((await Deno.stat(path)).mode! & 0o777, 0o660);
    const answer = await raw(
      { transport: "unix", path },
      requestText("GET /v1/consumers", AUTHORIZED),
    );
    assert.equal(statusIn(answer), 200);
    await assert.rejects(
      ApiUnderTest.start({ api: { listen: `unix:${path}` } }),
      /another process does/,
    );
    assert.equal(
      statusIn(await raw({ transport: "unix", path }, requestText("GET /livez", AUTHORIZED))),
      200,
    );
  }
  await assert.rejects(Deno.stat(path), Deno.errors.NotFound);
});

Deno.test("a socket that a crash has left is replaced, another file is not", async () => {
  await using home = await directory();
  const path = join(home.path, "api.sock");
  const crashing = `Deno.listen({ transport: "unix", path: ${
    JSON.stringify(path)
  } }); Deno.kill(Deno.pid, "SIGKILL");`;
  await new Deno.Command(Deno.execPath(), { args: ["eval", crashing] }).output();
  assert.ok((await Deno.lstat(path)).isSocket);
  {
    await using _server = await ApiUnderTest.start({ api: { listen: `unix:${path}` } });
    assert.equal(
      statusIn(await raw({ transport: "unix", path }, requestText("GET /livez", AUTHORIZED))),
      200,
    );
  }
  await Deno.writeTextFile(path, "precious");
  await assert.rejects(ApiUnderTest.start({ api: { listen: `unix:${path}` } }), /no socket/);
  assert.equal(await Deno.readTextFile(path), "precious");
});

Deno.test("a token is made once, for owner and group only", async () => {
  await using home = await directory();
  const state = join(home.path, "web-1.db"), path = tokenFile(state);
  assert.equal(path, join(home.path, "web-1.token"));
  const options = { state, api: { token: undefined, group: String(Deno.gid()) } };
  let token = "";
  for (const _ of ["first", "second"]) {
    await using server = await ApiUnderTest.start(options);
    const { mode, gid } = await Deno.stat(path);
    assert.deepEqual([mode! & 0o777, gid], [0o640, Deno.gid()]);
    const kept = (await Deno.readTextFile(path)).trim();
    assert.match(kept, /^[\w-]{43}$/);
    assert.equal(kept, token || kept);
    token = kept;
    const answer = await fetch(`${server.origin}/v1/consumers`, {
      headers: { Authorization: `Bearer ${token}` },
    });
    assert.deepEqual(await answer.json(), []);
  }
  await Deno.writeTextFile(path, "short\n");
  await assert.rejects(ApiUnderTest.start(options), /less than 16 characters/);
  await assert.rejects(
    ApiUnderTest.start({ api: { token: undefined } }),
    /'api\.token' is missing/,
  );
  await assert.rejects(
    ApiUnderTest.start({ api: { group: "nobody-has-this" } }),
    /there is no group/,
  );
});
