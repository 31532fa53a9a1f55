import assert from "node:assert/strict";
import type { Config } from "../../lib/config/config.ts";
import { connect } from "../../lib/connect.ts";
import { connectionOf } from "../../lib/connection.ts";
import { signedAddress } from "../../lib/fleet/advertise.ts";
import { named, report } from "../fleet/status/reports.ts";
import { httpServer, unreachableEndpoint } from "../servers/http.ts";
import { Ear, SECRET } from "../wake/ear.ts";
import { workspace } from "../cli/feedsync.ts";
import { findingsWith } from "./findings.ts";

const OTHER_SECRET = `whsec_${btoa("another secret that others have")}`;

/** What is found of peers, as `level: what`. */
async function find(config: Config): Promise<string[]> {
  const found = await findingsWith(config);
  return found.filter(({ check }) => check === "peers").map(({ level, what }) =>
    `${level}: ${what}`
  );
}

/** With the store of {@linkcode Ear}, that cannot be reached: peers can nevertheless. */
function with3(peers: readonly string[], secret = SECRET): Config {
  const s3 = { endpoint: unreachableEndpoint(), accessKeyId: "a", secretAccessKey: "b" };
  return { store: "s3://bucket/prefix", s3, wake: { peers, secret } };
}

Deno.test("a peer with the same secret and store takes messages, and hears of nothing", async () => {
  await using ear = new Ear();
  assert.deepEqual(await find(with3([`${ear.url}/`])), [
    `ok: The peer ${ear.url} takes messages of this server`,
  ]);
  assert.deepEqual(ear.heard, []);
});

Deno.test("a peer with another secret or store is wrong, and so is another program", async () => {
  await using ear = new Ear();
  await using program = httpServer(() => new Response("hello", { status: 404 }));
  const [secret, other] = await find(with3([ear.url, program.endpoint], OTHER_SECRET));
  assert.equal(secret, `error: Cannot use the peer ${ear.url}: it has another 'wake.secret'`);
  assert.match(other, /^error: .*it answers 404 hello, not as a listener of feedsync$/);
  const [store] = await find({ ...with3([ear.url]), store: "s3://bucket/elsewhere" });
  assert.equal(store, `error: Cannot use the peer ${ear.url}: it uses another store`);
});

Deno.test("a peer that cannot be reached is doubtful: it polls", async () => {
  const url = unreachableEndpoint();
  assert.deepEqual(await find(with3([url])), [
    `warning: The peer ${url} cannot be reached: connection refused`,
  ]);
});

Deno.test("peers that are found in the store are asked, if their addresses are valid", async () => {
  await using place = await workspace();
  const store = `file:${place.path}/store`;
  const config: Config = { store, wake: { peers: "auto", secret: SECRET } };
  const present = async (server: string, secret: string, origin: string) => {
    await using sync = await connect({ store, server });
    const { log } = connectionOf(sync).parts!, name = named(server);
    const advertise = signedAddress(name, { wake: { advertise: origin, secret }, log });
    await log.fleet.writePresence(name, report({ advertise }, Date.now()));
  };
  await Deno.mkdir(`${place.path}/store`);
  assert.deepEqual(await find(config), ["warning: No peer is found in the store"]);
  const url = unreachableEndpoint();
  await present("web-2", SECRET, url);
  await present("web-3", OTHER_SECRET, "http://192.0.2.3:7070");
  assert.deepEqual(await find(config), [
    `warning: The peer ${url} cannot be reached: connection refused`,
    "error: Cannot use the peer web-3 at http://192.0.2.3:7070: it has another 'wake.secret'",
  ]);
});
