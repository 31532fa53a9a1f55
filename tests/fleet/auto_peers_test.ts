import assert from "node:assert/strict";
import { systemEnvironment } from "../../lib/base/environment.ts";
import { signedAddress } from "../../lib/fleet/advertise.ts";
import { AutoPeers } from "../../lib/fleet/auto_peers.ts";
import { reportOf } from "../../lib/fleet/report.ts";
import { BucketLog } from "../../lib/log/bucket_log.ts";
import { type DatedPresence, type PresenceName, presenceName } from "../../lib/log/fleet/names.ts";
import { State } from "../../lib/state/state.ts";
import { Peers, type WakeUpCounts } from "../../lib/wake/send/peers.ts";
import type { SentObject } from "../../lib/wake/send/sign.ts";
import { captureLog } from "../encryption/keys.ts";
import { failing, MemoryStore } from "../memory_store.ts";
import { freePort } from "../servers/ports.ts";
import { NAME } from "../wake/ear.ts";
import { until } from "../wake/found_server.ts";

const SECRET = `whsec_${btoa("a secret that all servers have")}`;
const MINUTE_MS = 60_000;
const signal = new AbortController().signal;

/** Many listeners: one at each address of the loopback network, behind one port. */
class Listeners implements AsyncDisposable {
  readonly commits: string[] = [];
  readonly greetings: string[] = [];
  /** What they answer to greetings. */
  status = 204;
  readonly #server;

  constructor(port = 0) {
    this.#server = Deno.serve({ hostname: "0.0.0.0", port, onListen() {} }, async (request) => {
      const { hostname, pathname } = new URL(request.url);
      const isCommit = pathname === "/commits";
      (isCommit ? this.commits : this.greetings).push(hostname);
      await request.body?.cancel();
      return new Response(null, { status: isCommit ? 204 : this.status });
    });
  }

  origin(number: number): string {
    return `http://127.0.0.${number}:${this.#server.addr.port}`;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#server.shutdown();
  }
}

/** The server "own", which looks for peers in a store that others write to. */
class Own implements AsyncDisposable {
  readonly listeners: Listeners;
  /** What time has passed beside the machine's. */
  skippedMs = 0;
  readonly #environment = {
    random: { ...systemEnvironment.random, fraction: () => 1 },
    clock: {
      now: () => Date.now() + this.skippedMs,
      elapsed: () => performance.now() + this.skippedMs,
      setTimer: systemEnvironment.clock.setTimer,
    },
  };
  readonly store = new MemoryStore(this.#environment.clock);
  readonly state = new State(
    ":memory:",
    { server: "own", store: this.store.url },
    systemEnvironment.random,
  );
  readonly log = new BucketLog(this.store, { environment: this.#environment });
  readonly core = { state: this.state, log: this.log, environment: this.#environment };
  readonly peers = new Peers([], { secret: SECRET, ...this.core });
  readonly auto: AutoPeers;
  /** The own presence. */
  stored: SentObject | undefined;
  #told = 0;
  #expected: WakeUpCounts | undefined;

  readonly #isBorrowing: boolean;

  constructor({ advertise, listeners }: { advertise?: string; listeners?: Listeners } = {}) {
    this.#isBorrowing = listeners !== undefined;
    this.listeners = listeners ?? new Listeners();
    const options = { peers: this.peers, secret: SECRET, advertise, member: this };
    this.auto = new AutoPeers(this.core, options);
  }

  /** Writes the presence of a server at an address; resolves to it and its bytes. */
  async write(
    number: number,
    { origin = this.listeners.origin(number), secret = SECRET, signedAs, ...parts }:
      & Partial<
        PresenceName
      >
      & { origin?: string; secret?: string; signedAs?: PresenceName } = {},
  ): Promise<{ name: PresenceName; body: Uint8Array }> {
    const name = nameOf(number, parts);
    const wake = { advertise: origin || undefined, secret };
    const advertise = signedAddress(signedAs ?? name, { wake, log: this.log });
    const report = await reportOf(this.core, {
      startedAt: 0,
      retentionMs: false,
      pollMs: 10_000,
      includeOwn: false,
      advertise,
    });
    return { name, body: await this.log.fleet.writePresence(name, report) };
  }

  /** Lists the presences, and takes them all for present. */
  async look(present?: readonly DatedPresence[]): Promise<void> {
    await this.auto.update(present ?? await this.log.fleet.listPresences(), { signal });
  }

  /** Sends a commit, which so many peers must get; resolves to their numbers. */
  async tell(count: number): Promise<number[]> {
    this.listeners.commits.length = 0;
    this.#told += count;
    this.peers.send({ key: NAME.key, body: new Uint8Array(1) });
    await until(() => this.peers.counts.sent + this.peers.counts.dropped >= this.#told);
    return numbersOf(this.listeners.commits);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.peers.close(1000);
    this.state[Symbol.dispose]();
    if (!this.#isBorrowing) await this.listeners[Symbol.asyncDispose]();
    const expected = this.#expected ?? { sent: this.#told, dropped: 0 };
    assert.deepEqual(this.peers.counts, expected, "nobody else was told");
  }

  /** What is counted at the end, in place of what `tell()` was told. */
  expect(counts: WakeUpCounts): void {
    this.#expected = counts;
  }
}

function nameOf(number: number, parts: Partial<PresenceName> = {}): PresenceName {
  const stream = `web-${number}_abcdefgh`;
  return presenceName({
    stream,
    writer: "ijklmnop",
    interval: 300,
    weight: 1,
    list: undefined,
    ...parts,
  });
}

const numbersOf = (hosts: readonly string[]) =>
  hosts.map((host) => Number(host.split(".")[3])).sort((a, b) => a - b);

Deno.test("the servers that are present and advertise an address are the peers", async () => {
  await using own = new Own();
  for (const number of [1, 2, 3]) await own.write(number);
  await own.write(4, { origin: "" });
  await own.write(5, { stream: own.state.ownStream.load().stream });
  assert.deepEqual(await own.tell(0), []);
  await own.look();
  assert.deepEqual(await own.tell(3), [1, 2, 3]);
});

Deno.test("each presence is read once, also when it is written again, or its name changes", async () => {
  await using own = new Own();
  await own.write(1);
  await own.write(2, { origin: "" });
  await own.look();
  assert.equal(own.store.requests.get, 2);
  own.skippedMs += 5 * MINUTE_MS;
  own.store.objects.clear();
  await own.write(1, { list: "0".repeat(32) });
  await own.write(2, { origin: "" });
  await own.look();
  assert.equal(own.store.requests.get, 2);
  assert.deepEqual(await own.tell(1), [1]);
  await own.write(1, { writer: "restartd" });
  await own.look();
  assert.equal(own.store.requests.get, 3);
});

Deno.test("a peer that leaves is sent nothing more, and what it was sent still counts", async () => {
  await using own = new Own();
  const { name } = await own.write(1);
  await own.write(2);
  await own.look();
  assert.deepEqual(await own.tell(2), [1, 2]);
  await own.log.fleet.delete([name.key]);
  await own.look();
  assert.deepEqual(await own.tell(1), [2]);
  assert.deepEqual(own.peers.counts, { sent: 3, dropped: 0 });
  await own.write(1);
  await own.look();
  assert.deepEqual(await own.tell(2), [1, 2]);
});

Deno.test("what only pretends to be a peer is none: another secret, another key, a stale time, an odd origin", async () => {
  await using own = new Own();
  await own.write(1, { secret: `whsec_${btoa("a secret that the others lack")}` });
  const victim = nameOf(9);
  await own.write(2, { signedAs: victim });
  const { name, body } = await own.write(3);
  await own.write(4, { origin: "http://169.254.169.254" });
  await own.write(5, { origin: "http://[::ffff:a9fe:a9fe]" });
  await own.store.put(nameOf(6).key, body); // The body of another presence.
  await own.store.put(nameOf(7).key, new TextEncoder().encode("garbage"));
  own.store.objects.delete(name.key);
  own.skippedMs += 11 * MINUTE_MS;
  await own.store.put(name.key, body);
  await own.look(await own.log.fleet.listPresences());
  assert.deepEqual(await own.tell(0), []);
  await own.auto.greeted(name, body);
  assert.deepEqual(await own.tell(0), []);
  assert.deepEqual(own.listeners.greetings, []);
});

Deno.test("a presence with a problem is read again when it changes, and only then", async () => {
  await using own = new Own();
  await own.write(1, { signedAs: nameOf(2) });
  await own.look();
  await own.look();
  assert.equal(own.store.requests.get, 1);
  own.skippedMs += 5 * MINUTE_MS;
  await own.write(1);
  await own.look();
  assert.equal(own.store.requests.get, 2);
  assert.deepEqual(await own.tell(1), [1]);
});

Deno.test("a presence that cannot be read now is read after the next listing; the other peers stay", async () => {
  await using own = new Own();
  await own.write(1);
  await own.look();
  await own.write(2);
  await own.write(3);
  const fail = failing(new Error("unreachable"));
  const stop = own.store.before(
    "get",
    (key, signal) => key === nameOf(2).key && fail(key, signal),
  );
  own.store.hidden.set(nameOf(3).key, 1);
  await own.look();
  stop();
  assert.deepEqual(await own.tell(1), [1]);
  await own.look();
  assert.deepEqual(await own.tell(3), [1, 2, 3]);
});

Deno.test("a server that crashed long ago is no new peer, although it may still be shown as present", async () => {
  await using own = new Own();
  await own.write(1);
  await own.write(2);
  await own.look([{ ...nameOf(1), size: 1, lastModified: own.log.now() }]);
  own.skippedMs += 20 * MINUTE_MS;
  await own.look();
  assert.deepEqual(await own.tell(1), [1], "the one that is known stays while it is present");
});

Deno.test("an address is checked again after a day: somebody else may keep the presence alive", async () => {
  await using own = new Own();
  const { name, body } = await own.write(1);
  await own.look();
  own.skippedMs += 25 * 60 * MINUTE_MS;
  await own.store.put(name.key, body);
  await own.look();
  assert.deepEqual(await own.tell(0), []);
});

Deno.test("of too many peers 64 are chosen, the same each time, and a warning is logged once", async () => {
  using log = captureLog();
  await using own = new Own();
  for (let number = 1; number <= 70; number++) await own.write(number);
  await own.look();
  const first = await own.tell(64);
  await own.look();
  assert.deepEqual(await own.tell(64), first);
  const left = first.slice(0, 3).map((number) => nameOf(number).key);
  await own.log.fleet.delete(left);
  await own.look();
  const then = await own.tell(64);
  assert.equal(first.filter((number) => then.includes(number)).length, 61);
  const warnings = log.lines.filter((line) => line.startsWith("warn"));
  assert.equal(warnings.length, 1);
  assert.match(
    warnings[0],
    /There are 70 peers, which is too many: commits are sent to 64 of them/,
  );
  await using other = new Own({ listeners: own.listeners });
  for (let number = 1; number <= 70; number++) await other.write(number);
  await other.look();
  assert.notDeepEqual(await other.tell(64), first, "so that each is told by some");
});

Deno.test("a server that advertises greets each peer that it finds, once, and none that greeted it", async () => {
  await using own = new Own({ advertise: "http://127.0.0.99:7070" });
  await own.write(1);
  await own.write(2);
  await own.look();
  assert.deepEqual(await own.tell(2), [1, 2]);
  assert.deepEqual(own.listeners.greetings, [], "there is no presence to send yet");
  const { name: { key }, body } = await own.write(99, { origin: "http://127.0.0.99:7070" });
  own.stored = { key, body };
  await own.look();
  await own.tell(2);
  assert.deepEqual(numbersOf(own.listeners.greetings), [1, 2]);
  const { name, body: greeting } = await own.write(3);
  await own.auto.greeted(name, greeting);
  own.listeners.status = 404;
  await own.write(4);
  await own.look();
  await own.look();
  assert.deepEqual(await own.tell(4), [1, 2, 3, 4]);
  assert.deepEqual(numbersOf(own.listeners.greetings), [1, 2, 4]);
  assert.deepEqual(own.peers.counts.dropped, 0);
});

Deno.test("a greeting counts, without a request, until a listing later than a moment lacks the server", async () => {
  await using own = new Own();
  const { name, body } = await own.write(1);
  await own.auto.greeted(name, body);
  assert.deepEqual(await own.tell(1), [1]);
  await own.look([]); // It may have begun before the presence was written.
  assert.deepEqual(await own.tell(1), [1]);
  await own.look();
  assert.equal(own.store.requests.get, 0);
  own.skippedMs += 2 * MINUTE_MS;
  await own.look();
  assert.deepEqual(await own.tell(1), [1]);
  await own.look([]);
  assert.deepEqual(await own.tell(0), []);
});

Deno.test("a server that restarts and greets is told at once, although it could not be reached before", async () => {
  await using own = new Own();
  const port = freePort(), origin = `http://127.0.0.1:${port}`;
  await own.write(1, { origin });
  await own.look();
  own.peers.send({ key: NAME.key, body: new Uint8Array(1) });
  await until(() => own.peers.counts.dropped === 1);
  await using restarted = new Listeners(port);
  own.peers.send({ key: NAME.key, body: new Uint8Array(1) });
  assert.deepEqual(own.peers.counts, { sent: 0, dropped: 2 }, "it is left alone");
  const { name, body } = await own.write(1, { origin, writer: "restartd" });
  await own.auto.greeted(name, body);
  own.peers.send({ key: NAME.key, body: new Uint8Array(1) });
  await until(() => restarted.commits.length === 1);
  await until(() => own.peers.counts.sent === 1);
  own.expect({ sent: 1, dropped: 2 });
});

Deno.test("greetings of a copy of this machine, and those without an address, change nothing", async () => {
  await using own = new Own();
  const copy = await own.write(1, { stream: own.state.ownStream.load().stream });
  await own.auto.greeted(copy.name, copy.body);
  const silent = await own.write(2, { origin: "" });
  await own.auto.greeted(silent.name, silent.body);
  const { body } = await own.write(3);
  await assert.rejects(own.auto.greeted(nameOf(4), body), { name: "CorruptObjectError" });
  assert.deepEqual(await own.tell(0), []);
});

Deno.test("a server that restarted with another stream is not its own peer", async () => {
  await using listeners = new Listeners();
  const advertise = listeners.origin(1);
  await using own = new Own({ advertise });
  await own.write(1, { origin: advertise });
  await own.look();
  await own.tell(0);
  assert.deepEqual(listeners.commits, []);
});
