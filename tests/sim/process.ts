import { cleanup } from "../../lib/cleanup.ts";
import type { StoredUpdate } from "../../lib/log/codec.ts";
import { Connection } from "../../lib/connection.ts";
import { Consumers } from "../../lib/consumers/consumers.ts";
import {
  AccessDeniedError,
  ClosedError,
  messageOf,
  MissingKeyError,
  StoreUnavailableError,
} from "../../lib/errors.ts";
import type { Envelope } from "../../lib/log/encryption/envelope.ts";
import type { ObjectName } from "../../lib/log/names.ts";
import { parseKey } from "../../lib/log/names.ts";
import { publish, type Receipt } from "../../lib/publish.ts";
import { BucketWatcher } from "../../lib/reading/bucket_watcher.ts";
import type { OutboxRow } from "../../lib/state/outbox.ts";
import { State } from "../../lib/state/state.ts";
import type { UpdateInput } from "../../lib/update.ts";
import { checkUnread } from "./bucket_checks.ts";
import type { Watcher } from "../../lib/reading/watcher.ts";
import { watchWith } from "../../lib/watch.ts";
import type { Disk } from "./disk.ts";
import { markOf } from "./ledger.ts";
import { guardState, type StateCall } from "./guarded_state.ts";
import { SimPlugin } from "./plugin.ts";
import { Death, environmentOf } from "./process_environment.ts";
import { ReaderChecks } from "./reader_checks.ts";
import type { Server } from "./server.ts";
import { StoreView } from "./store_view.ts";
import type { World } from "./world.ts";

/** One run of a server, from its start until it stops or dies. */
export class Process {
  readonly world: World;
  readonly server: Server;
  readonly disk: Disk;
  readonly checks = new ReaderChecks(this);
  readonly view: StoreView;
  /** The state as it is: the process itself sees it through a guard. */
  readonly state: State;
  readonly connection: Connection;
  readonly watcher: Watcher | undefined;
  /** Keys of objects that a poll has told to wait for a key. */
  readonly waitsFor = new Set<string>();
  #consumers: Consumers | undefined;
  alive = true;
  stopping = false;
  /** Rejects when the process ends: what it was waiting for never comes. */
  readonly #ended = Promise.withResolvers<never>();

  constructor(world: World, server: Server) {
    const { timeline, chance, mix, bucket } = world;
    const { watches, poll, plugins, concurrency } = server.habits;
    this.#ended.promise.catch(() => {});
    this.world = world;
    this.server = server;
    this.disk = server.disk;
    this.state = new State(this.disk.medium.path, { server: server.name, store: "sim:" }, chance);
    this.noteStream();
    this.view = new StoreView({
      bucket,
      timeline,
      chance,
      mix,
      hiddenUntil: server.hiddenUntil,
      server: server.name,
      hasEntered: () => this.state.fact("entered") !== undefined,
      clockError: () => server.clockError,
      alive: () => this.alive,
      reachable: () => timeline.now >= server.outageUntil,
      put: (key, body) => world.put(this.disk, key, body),
      deleting: (keys) => checkUnread(this, keys),
      delete: (keys) => world.delete(keys),
      note: (what, fate) => this.note(`${what}${fate === "done" ? "" : ` (${fate})`}`),
    });
    const guard = {
      point: (name: string) => this.#point(name),
      committed: (calls: readonly StateCall[], durable: boolean) => this.#committed(calls, durable),
      sync: () => this.#sync(),
    };
    const state = guardState(this.state, guard);
    const envelope = this.#envelope(), environment = environmentOf(this);
    this.connection = new Connection(server.config, this.view, { environment, state, envelope });
    this.connection.parts!.uploader.onCommit.push(({ name }) => world.wakeOthers(this, name));
    if (!watches) return;
    const running = Array.from({ length: plugins }, (_, index) => {
      const options = { process: this, concurrency: index === 0 ? concurrency : 1 };
      return new SimPlugin(`plugin${index + 1}`, options);
    });
    this.watcher = watchWith(
      this.connection,
      running,
      { manual: poll === undefined, outagePatience: false },
    );
    this.#whileAlive(this.watcher.finished, () => {}, (error) => {
      if (!(error instanceof AccessDeniedError)) this.fail(`The watcher ended: ${error}`);
      this.die();
    });
  }

  /** Publishes, and resolves to whether that worked; what comes of it is checked. */
  publish(inputs: readonly UpdateInput[]): Promise<boolean> {
    if (this.connection.isClosed) return Promise.resolve(false);
    this.note(`publishes ${inputs.map((input) => `${markOf(input)}`.slice(0, 12) + input.url)}`);
    return this.#whileAlive(
      publish(this.connection, inputs),
      (receipts) => this.#checkReceipts(receipts),
      (error) => this.#checkRefusal(error, inputs),
    );
  }

  /** A peer sends a commit, or the store tells of it. */
  hear(name: ObjectName, updates: readonly StoredUpdate[] | undefined): void {
    if (!(this.watcher instanceof BucketWatcher)) return;
    this.note(`hears of ${name.key}`);
    try {
      const isDelivered = this.world.chance.happens(0.7) && this.server.canRead(name.stream) &&
        updates;
      this.watcher.hear(name, isDelivered ? { name, updates, size: 1000 } : undefined);
    } catch (error) {
      if (!(error instanceof Death)) this.fail(`Hearing of ${name.key} threw ${error}`);
    }
  }

  /** Polls now. */
  poll(): Promise<boolean> {
    this.note("polls");
    return this.#whileAlive(
      this.watcher!.poll(),
      ({ applied, gaps, unreadable }) => {
        this.note(`applied ${applied}, gaps ${gaps}`);
        for (const error of unreadable) {
          if (error instanceof MissingKeyError) this.waitsFor.add(error.key);
        }
      },
      (error) => this.#expect("poll()", error),
    );
  }

  /** Cleans up. */
  cleanUp(): Promise<boolean> {
    if (this.connection.isClosed) return Promise.resolve(false);
    return this.#whileAlive(
      cleanup(this.connection, { maxAge: this.world.mix.retention }),
      ({ keys, failed }) => this.note(`cleaned up ${keys}, ${failed} failed`),
      (error) => this.#expect("cleanup()", error),
    );
  }

  /** What a consumer of this server does; nothing comes of it when the process dies meanwhile. */
  async consume(work: (consumers: Consumers) => Promise<void>): Promise<void> {
    const failures: unknown[] = [];
    const done = async () => {
      this.#consumers ??= new Consumers(this.connection, this.world.mix.inbox);
      await work(this.#consumers);
    };
    await this.#whileAlive(done(), () => {}, (error) => void failures.push(error));
    if (failures.length > 0) throw failures[0];
  }

  /** Stops gracefully. */
  async stop(): Promise<void> {
    this.note("stops");
    this.stopping = true;
    await this.#consumers?.close();
    const { timeline } = this.world;
    const begun = timeline.now;
    await this.watcher?.close();
    await this.connection.close();
    if (!this.alive) return;
    if (timeline.now - begun < this.server.config.stopTimeout) this.checks.checkStopped();
    this.die("has stopped");
  }

  /** Ends at once: nothing that it does from now on has any effect. */
  die(how = "dies"): void {
    if (!this.alive) return;
    this.note(how);
    this.alive = false;
    this.#ended.reject(new Death());
    this.server.noteEnd(this);
  }

  /** Waits; for ever, when the process dies meanwhile. */
  wait(ms: number): Promise<void> {
    return new Promise((resolve) => environmentOf(this).clock.setTimer(ms, resolve));
  }

  /** A line of the trace. */
  note(what: string): void {
    this.world.note(this.server.label, what);
  }

  /** A promise is broken. */
  fail(message: string): void {
    this.world.fail(`${this.server.label}: ${message}`);
  }

  /** The stream that the state publishes to now. */
  noteStream(): void {
    const { disk } = this;
    disk.stream = this.state.ownStream.load().stream;
    this.world.ledger.families.set(disk.stream, disk.family);
  }

  /** What the world stores its objects in, as far as this server has the keys. */
  #envelope(): Envelope {
    const { world: { envelope }, server } = this;
    return {
      get revision() {
        return envelope.revision;
      },
      readsPlain: envelope.readsPlain,
      isCurrent: (name, stored) => envelope.isCurrent(name, stored),
      digests: (text) => envelope.digests(text),
      encrypt: (name, bytes) => envelope.encrypt(name, bytes),
      decrypt(name, stored) {
        const stream = parseKey(name.key)?.stream;
        return stream === undefined || server.canRead(stream)
          ? envelope.decrypt(name, stored)
          : Promise.reject(new MissingKeyError(name.key, "lost", "it is not there"));
      },
    };
  }

  #point(name: string): void {
    const { chance, mix: { faults } } = this.world;
    if (this.alive && chance.happens(faults.fatalStateCall)) this.die(`dies at ${name}`);
    if (!this.alive) throw new Death();
  }

  #committed(calls: readonly StateCall[], durable: boolean): void {
    const { world, disk } = this;
    for (const { name, args } of calls) {
      if (name === "outbox.addAll") {
        for (const row of args[0] as readonly OutboxRow[]) {
          const accepted = world.ledger.accept(disk, row);
          for (const { checks } of this.server.consumers) checks.published(accepted);
        }
      }
      if (name === "ownStream.begin") world.noteNewStream(this);
      if (name === "setFact" && args[0] === "lastPoll") {
        const begun = this.view.listings.get("tail/")!;
        disk.told.polls.push({ begun, ended: world.timeline.now });
      }
      if (name === "cursors.enter" && this.state.cursors.get(String(args[0])) === args[1]) {
        this.checks.entered(String(args[0]), Number(args[1]));
      }
    }
    if (durable && world.mix.events.powerLoss > 0) disk.sync()();
  }

  async #sync(): Promise<void> {
    const { world: { mix, chance }, disk } = this;
    if (mix.events.powerLoss === 0) return;
    const done = disk.sync();
    await this.wait(chance.pick([0, 1, 20, 2000]));
    done();
  }

  async #whileAlive<T>(
    promise: Promise<T>,
    done: (value: T) => void,
    failed: (error: unknown) => void,
  ): Promise<boolean> {
    try {
      const value = await Promise.race([promise, this.#ended.promise]);
      if (this.alive) done(value);
      return this.alive;
    } catch (error) {
      if (this.alive) failed(error);
      return false;
    }
  }

  #checkReceipts(receipts: readonly Receipt[]): void {
    for (const receipt of receipts) {
      if (receipt.status !== "published") return this.fail(`publish() returned ${receipt.status}`);
      const { id, stream, seq } = receipt;
      this.#checkSynced(id);
      if (!this.world.bucket.at(stream, seq).some(({ update }) => update.id === id)) {
        this.fail(`publish() returned ${stream}/${seq}, where the update never was`);
      }
    }
  }

  #checkRefusal(error: unknown, inputs: readonly UpdateInput[]): void {
    this.#expect("publish()", error);
    const accepted = inputs.map((input) => this.world.ledger.byMark.get(markOf(input)));
    for (const update of accepted) this.#checkSynced(update?.id);
    if (error instanceof AccessDeniedError) return;
    const last = accepted.at(-1);
    if (!last) this.fail(`publish() accepted nothing: ${messageOf(error)}`);
    else if (last.row <= this.state.ownStream.load().uploadedRow) {
      this.fail(`publish() failed, though what it accepted is uploaded: ${messageOf(error)}`);
    }
  }

  #checkSynced(id: string | undefined): void {
    const { mix } = this.world;
    if (id === undefined || mix.events.powerLoss === 0 || !this.disk.unsynced.has(id)) return;
    this.fail(`publish() ended before ${id} was synced`);
  }

  #expect(what: string, error: unknown): void {
    const expected = error instanceof StoreUnavailableError || error instanceof AccessDeniedError ||
      (this.stopping && error instanceof ClosedError);
    if (!expected) this.fail(`${what} failed: ${error instanceof Error ? error.stack : error}`);
    this.note(`${what} failed: ${messageOf(error)}`);
  }
}
