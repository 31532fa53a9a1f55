import assert from "node:assert/strict";
import { connect } from "../../../lib/connect.ts";
import { StoreUnavailableError } from "../../../lib/errors.ts";
import { signedAddress } from "../../../lib/fleet/advertise.ts";
import type { PresenceReport } from "../../../lib/log/fleet/presence.ts";
import type { PresenceName } from "../../../lib/log/fleet/names.ts";
import { status } from "../../../lib/status.ts";
import { Fleet } from "../../fixture.ts";
import { failing } from "../../memory_store.ts";
import { kinds, named, report } from "./reports.ts";

const MINUTE = 60_000;

/** Servers that only say that they are there. */
class PresentFleet extends Fleet {
  /** Writes a presence now. */
  async present(name: PresenceName, changes: Partial<PresenceReport> = {}): Promise<void> {
    await this.log.fleet.writePresence(name, report(changes, this.time.clock.now()));
  }

  /** What a machine sees that has no part in it. */
  status() {
    return status(this.server("monitoring"));
  }
}

Deno.test("the status takes one LIST and a GET for each server, and writes nothing", async () => {
  await using fleet = new PresentFleet();
  for (let index = 0; index < 100; index++) await fleet.present(named(`web-${index}`));
  const before = { ...fleet.store.requests };
  const { servers, problems } = await fleet.status();
  assert.deepEqual([servers.length, problems], [100, []]);
  assert.deepEqual(fleet.store.requests, { ...before, list: 1, get: 100 });
});

Deno.test("presences are read in parallel, but not all at once", async () => {
  await using fleet = new PresentFleet();
  for (let index = 0; index < 100; index++) await fleet.present(named(`web-${index}`));
  const { promise, resolve } = Promise.withResolvers<void>();
  let running = 0, most = 0;
  fleet.store.before("get", () => {
    most = Math.max(most, ++running);
    if (running === 16) setTimeout(resolve, 0); // Others may start until then.
    return promise;
  });
  fleet.store.after("get", () => void running--);
  await fleet.status();
  assert.equal(most, 16);
});

Deno.test("when the key of a presence changes, its server is one server", async () => {
  await using fleet = new PresentFleet();
  await fleet.present(named("web-1"));
  await fleet.present(named("web-2"));
  await fleet.time.pass(1000);
  await fleet.present(named("web-1", { list: "a".repeat(32), interval: 60 }));
  const { servers, problems } = await fleet.status();
  assert.deepEqual(problems, []);
  assert.deepEqual(servers.map(({ server, intervalSeconds }) => [server, intervalSeconds]), [
    ["web-1", 60],
    ["web-2", 300],
  ]);
});

Deno.test("a server that keeps crashing is read only a few times", async () => {
  await using fleet = new PresentFleet();
  await fleet.present(named("web-2"));
  for (let index = 0; index < 60; index++) {
    const writer = String(index).padStart(8, "0").replace(/\d/g, (digit) => "abcdefghij"[+digit]);
    await fleet.present(named("web-1", { writer }), {
      started: new Date(fleet.time.clock.now() - 1000).toISOString(),
    });
    await fleet.time.pass(5000);
  }
  const { servers, problems } = await fleet.status();
  assert.deepEqual([servers.length, problems], [2, []]);
  assert.equal(fleet.store.requests.get, 5);
});

Deno.test("a presence of a server that is long gone is not read when a newer one has its name", async () => {
  await using fleet = new PresentFleet();
  await fleet.present(named("web-1"));
  await fleet.present(named("web-2"));
  await fleet.time.pass(60 * MINUTE);
  await fleet.present(named("web-1", { writer: "vvvvvvvv" }));
  const shown = await fleet.status();
  assert.deepEqual(kinds(shown), ["problem gone"]);
  assert.deepEqual(shown.servers.map(({ server, writer }) => [server, writer]), [
    ["web-1", "vvvvvvvv"],
    ["web-2", "wwwwwwww"],
  ]);
  assert.equal(fleet.store.requests.get, 2);
});

Deno.test("whoever can write presences can pass a server off as a former run of another one", async () => {
  await using fleet = new PresentFleet();
  await fleet.present(named("web-1"), { deadLetters: { log: 1 } });
  await fleet.present(named("web-2"));
  assert.deepEqual(kinds(await fleet.status()), ["problem dead-letters"]);
  await fleet.time.pass(1000);
  const started = new Date(fleet.time.clock.now()).toISOString();
  await fleet.present(named("web-1", { writer: "vvvvvvvv" }), { started });
  assert.deepEqual(kinds(await fleet.status()), []);
});

Deno.test("a presence that vanishes after the listing is told, and fails nothing", async () => {
  await using fleet = new PresentFleet();
  await fleet.present(named("web-1"));
  await fleet.present(named("web-2"));
  fleet.store.after("list", () => void fleet.store.objects.delete(named("web-2").key));
  const shown = await fleet.status();
  assert.deepEqual(kinds(shown), ["note not-found"]);
  assert.deepEqual(shown.servers.map(({ unreadable }) => unreadable?.reason), [
    undefined,
    "not-found",
  ]);
});

Deno.test("a store that cannot be reached fails the status", async () => {
  await using fleet = new PresentFleet();
  await fleet.present(named("web-1"));
  for (const operation of ["list", "get"] as const) {
    const mend = fleet.store.before(operation, failing(new StoreUnavailableError("down")));
    await assert.rejects(fleet.status(), /StoreUnavailableError: down/);
    mend();
  }
});

Deno.test("hostile presences are told, and hide none of the others", async () => {
  await using fleet = new PresentFleet();
  const encoder = new TextEncoder();
  const put = (name: PresenceName, text: string) => fleet.store.put(name.key, encoder.encode(text));
  const header = (server: string) =>
    JSON.stringify({
      ...{ feedsync: 1, kind: "presence", count: 1 },
      ...{ stream: `${server}_aaaaaaaa`, server, writer: "wwwwwwww" },
    });
  await fleet.present(named("web-1"));
  await put(named("empty"), "");
  await put(named("not-json"), `${header("not-json")}\n{"started":\n`);
  await put(named("no-times"), `${header("no-times")}\n{}\n`);
  await put(named("other"), `${header("web-1")}\n{}\n`);
  const streams = JSON.stringify({
    ...report({}, fleet.time.clock.now()),
    streams: Array(1_000_000).fill({ stream: "a", applied: 0, end: 9 }),
  });
  await put(named("streams"), `${header("streams")}\n${streams}\n`);
  await fleet.present(named("texts"), {
    version: "\x1b[2J".repeat(10_000),
    deadLetters: { ["p".repeat(100_000)]: 1 },
    streams: [{
      ...{ stream: "x\x1b]0;", applied: 9, end: 1, behindSeconds: 999, held: "h".repeat(100_000) },
    }],
  });
  await fleet.store.put("present/foreign", encoder.encode("?"));
  await fleet.store.put("present/../x", encoder.encode("?"));
  const { servers, problems } = await fleet.status();
  const damaged = servers.filter(({ unreadable }) => unreadable?.reason === "damaged");
  assert.deepEqual(
    damaged.map(({ server }) => server),
    ["empty", "no-times", "not-json", "other", "streams"],
  );
  assert.equal(servers.length, 7);
  for (const { message, advice } of problems) assert.ok(message.length + advice.length < 1500);
  assert.ok(JSON.stringify(servers).length < 50_000);
});

Deno.test("times in the future are not believed", async () => {
  await using fleet = new PresentFleet();
  await fleet.present(named("web-1"));
  await fleet.present(named("web-2"));
  const future = { written: "2999-01-01T00:00:00.000Z", started: "2998-01-01T00:00:00.000Z" };
  await fleet.present(named("later"), future);
  const object = fleet.store.objects.get(named("later").key)!;
  object.lastModified = Date.parse("2999-01-01T00:00:00Z");
  const { servers, problems, time } = await fleet.status();
  assert.ok(Math.abs(Date.parse(time) - fleet.time.clock.now()) < MINUTE);
  assert.deepEqual(servers.map(({ server, state, seen }) => [server, state, seen !== null]), [
    ["later", "running", false],
    ["web-1", "running", true],
    ["web-2", "running", true],
  ]);
  assert.deepEqual(problems.map(({ kind, servers }) => [kind, servers]), [["undated", ["later"]]]);
});

Deno.test("the newest presence tells the time, where the clock here is late", async () => {
  await using fleet = new PresentFleet();
  await fleet.present(named("web-1"));
  await fleet.time.pass(16 * MINUTE);
  await fleet.present(named("web-2"));
  fleet.time.setBack(5 * MINUTE);
  const shown = await fleet.status();
  assert.deepEqual(kinds(shown), ["problem gone"]);
  assert.deepEqual(shown.servers.map(({ ageSeconds }) => ageSeconds), [0, 960]);
});

Deno.test("addresses are checked as peers do, with the secret of this machine", async () => {
  await using fleet = new PresentFleet();
  const [ours, other] = [7, 8].map((byte) => `whsec_${new Uint8Array(24).fill(byte).toBase64()}`);
  const origin = "http://web-1.example.com:7070";
  for (const [server, secret] of [["web-1", ours], ["web-2", other]]) {
    const name = named(server), { log } = fleet;
    const advertise = signedAddress(name, { wake: { advertise: origin, secret }, log });
    await fleet.present(name, { advertise });
  }
  const shown = await status(fleet.server("monitoring", { wake: { secret: ours } }));
  assert.deepEqual(shown.servers.map(({ report }) => report?.address), [
    { origin, verdict: "valid" },
    { origin, verdict: "wrong-secret" },
  ]);
  assert.deepEqual(kinds(shown), ["problem secret"]);
  const [{ report }] = (await fleet.status()).servers;
  assert.equal(report?.address?.verdict, "unchecked");
});

Deno.test("a machine where feedsync is not enabled sees nobody, and complains of nothing", async () => {
  await using sync = await connect({ enabled: false, server: "web-1" });
  const { servers, problems } = await status(sync);
  assert.deepEqual([servers, problems], [[], []]);
});

Deno.test("a closed connection shows no status", async () => {
  await using fleet = new PresentFleet();
  const connection = fleet.server("web-1");
  await connection.close();
  await assert.rejects(status(connection), /ClosedError/);
});
