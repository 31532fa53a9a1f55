import assert from "node:assert/strict";
import { join } from "node:path";
import { connect } from "../../lib/connect.ts";
import type { ApiConfig } from "../../lib/config/api.ts";
import { ConfigError } from "../../lib/errors.ts";
import { serveApi } from "../../lib/api/serve_api.ts";
import { watch } from "../../lib/watch.ts";
import { workspace } from "../cli/feedsync.ts";
import { freeAddress } from "../servers/ports.ts";
import { findingsWith } from "./findings.ts";

/** A directory for a server with the API. */
async function home() {
  const { path, ...rest } = await workspace();
  const state = join(path, "web-1.db");
  const config = { store: `file:${join(path, "store")}`, state, server: "web-1" };
  return {
    ...rest,
    path,
    config,
    token: join(path, "web-1.token"),
    /** What is found of the API, as `level: what`. */
    async find(api: ApiConfig, changes = {}): Promise<string[]> {
      const all = await findingsWith({ ...config, ...changes, api });
      const found = all.filter(({ check }) => check === "api");
      for (const { level, error } of found) {
        assert.equal(level === "error", error instanceof ConfigError);
      }
      return found.map(({ level, what }) => `${level}: ${what}`);
    },
  };
}

Deno.test("where the API can listen is told, and that the running server listens there", async () => {
  await using place = await home();
  for (const listen of [freeAddress(), `unix:${join(place.path, "api.sock")}`]) {
    const [can, token] = await place.find({ listen });
    assert.equal(can, `ok: The API can listen at ${listen}`);
    assert.match(token, /^ok: There is no token for the API yet|^ok: The token of the API is in /);
    await using sync = await connect({ ...place.config, api: { listen } });
    await using watcher = watch(sync, () => {}, { manual: true });
    await watcher.poll();
    await using _ = await serveApi(sync);
    assert.deepEqual(await place.find({ listen }), [
      `ok: The API listens at ${listen}`,
      `ok: The token of the API is in ${place.token}`,
    ]);
    const [other] = await place.find({ listen }, { state: join(place.path, "web-2.db") });
    assert.match(other, /^error: Cannot listen at .* for the API: another (server|process)/);
  }
});

Deno.test("an address that is not of this machine, or of another program, is wrong", async () => {
  await using place = await home();
  const [elsewhere] = await place.find({ listen: "192.0.2.1:7071" });
  assert.match(elsewhere, /^error: Cannot listen at 192\.0\.2\.1:7071 for the API: /);
  const listen = freeAddress(), [, port] = listen.split(":");
  await using _other = Deno.serve(
    { hostname: "127.0.0.1", port: Number(port), onListen() {} },
    () => new Response("something else"),
  );
  const [taken] = await place.find({ listen });
  assert.equal(taken, `error: Cannot listen at ${listen} for the API: another program does`);
  const file = join(place.path, "file");
  await Deno.writeTextFile(file, "");
  const [noSocket] = await place.find({ listen: `unix:${file}` });
  assert.match(noSocket, /^error: .*there is a file that is no socket$/);
  const [noDirectory] = await place.find({ listen: `unix:${place.path}/no/api.sock` });
  assert.match(noDirectory, /^error: .*nothing can be made in .*\/no$/);
});

Deno.test("a token that others may read is doubtful, and so is none; one that is too short is wrong", async () => {
  await using place = await home();
  const listen = freeAddress();
  await Deno.writeTextFile(place.token, "a token with enough characters", { mode: 0o644 });
  const [, open] = await place.find({ listen });
  assert.match(open, /^warning: Every user of this machine may read the token of the API/);
  await Deno.chmod(place.token, 0o640);
  const [, closed] = await place.find({ listen });
  assert.equal(closed, `ok: The token of the API is in ${place.token}`);
  await Deno.writeTextFile(place.token, "short");
  const [, short] = await place.find({ listen });
  assert.match(short, /^error: Cannot use the token .*: it has less than 16 characters/);
  const [, none] = await place.find({ listen, token: false });
  assert.match(none, /^warning: The API requires no token/);
  const [, socket] = await place.find({ listen: `unix:${place.path}/api.sock`, token: false });
  assert.match(socket, /^ok: /);
});

Deno.test("a group that does not exist is wrong, and one that cannot read the token doubtful", async () => {
  await using place = await home();
  const listen = freeAddress();
  const [, group] = await place.find({ listen, group: "no-such-group" });
  assert.match(group, /^error: Cannot use 'api\.group': there is no group "no-such-group"$/);
  await Deno.writeTextFile(place.token, "a token with enough characters", { mode: 0o640 });
  const [, other] = await place.find({ listen, group: String(Deno.gid()! + 1) });
  assert.match(other, /^warning: The group \d+ cannot read the token of the API/);
});

Deno.test("without the section 'api' nothing is said of it", async () => {
  await using place = await home();
  assert.deepEqual((await findingsWith(place.config)).filter(({ check }) => check === "api"), []);
});
