import { Connection } from "../../../lib/connection.ts";
import { runningPlugin } from "../../../lib/plugin.ts";
import type { Watcher } from "../../../lib/reading/watcher.ts";
import { State } from "../../../lib/state/state.ts";
import { watchWith } from "../../../lib/watch.ts";
// Loading it when the first server asks would take real time: a replay would not be the same.
import "../../../lib/fleet/turns/turn_engine.ts";
import { guardState } from "../guarded_state.ts";
import { Death, environmentOf } from "../process_environment.ts";
import { StoreView } from "../store_view.ts";
import { Application } from "./application.ts";
import type { FleetDisk, FleetServer } from "./server.ts";
import type { FleetWorld } from "./world.ts";

/** Listings lack an object so often that they have shown before: once. */
const UNLISTED = 0.05;

/** One run of a server, from its start until it stops or dies. */
export class FleetProcess {
  readonly world: FleetWorld;
  readonly server: FleetServer;
  readonly disk: FleetDisk;
  readonly state: State;
  readonly connection: Connection;
  readonly application: Application;
  readonly watcher: Watcher | undefined;
  readonly startedAt: number;
  alive = true;
  stopping = false;
  /** What was reported as failed, and may take effect later. */
  readonly uncertain = new Set<string>();
  /** It has stopped gracefully. */
  hasLeft = false;
  /** The presences that the last listing has shown. */
  #listed = new Set<string>();

  constructor(world: FleetWorld, server: FleetServer) {
    const { timeline, chance } = world;
    this.world = world;
    this.server = server;
    this.disk = server.disk;
    this.startedAt = timeline.now;
    world.note(server.label, "starts");
    const owner = { server: server.name, store: "sim:" };
    this.state = new State(this.disk.medium.path, owner, chance);
    const state = guardState(this.state, {
      point: (name) => this.#point(name),
      committed: () => {},
      sync: () => Promise.resolve(),
    });
    const environment = environmentOf(this), envelope = world.envelopeOf(server);
    this.connection = new Connection(server.config, this.#storeView(), {
      environment,
      state,
      envelope,
    });
    if (server.habits.mode === "watches") this.watcher = this.#watch();
    this.application = new Application(this);
    this.application.run();
  }

  /** Stops gracefully. */
  async stop(): Promise<void> {
    if (this.stopping) return;
    this.note("stops");
    this.stopping = true;
    try {
      await this.application.idle();
      await this.watcher?.close();
      await this.connection.close();
    } catch (error) {
      if (error instanceof Death) return;
      throw error;
    }
    if (!this.alive) return;
    this.hasLeft = true;
    this.die("has stopped");
  }

  /** Ends at once: nothing that it does from now on has any effect. */
  die(how = "dies"): void {
    if (!this.alive) return;
    this.note(how);
    this.alive = false;
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

  #watch(): Watcher {
    const watcher = watchWith(this.connection, [runningPlugin("sink", {})], {
      outagePatience: false,
    });
    watcher.finished.catch((error) => {
      if (this.alive && !(error instanceof Death)) this.fail(`The watcher ended: ${error}`);
    });
    return watcher;
  }

  #storeView(): StoreView {
    const { world, server } = this, { timeline, chance, bucket } = world;
    return new StoreView({
      bucket: {
        marker: undefined,
        objects: new Map(),
        bodyOf: (key) => world.bodyFor(server, key),
        page: (prefix, startAfter, options) => this.#page(prefix, startAfter, options),
      },
      timeline,
      chance,
      get mix() {
        return server.conditions;
      },
      hiddenUntil: new Map(),
      server: server.name,
      hasEntered: () => true,
      clockError: () => server.clockError,
      alive: () => this.alive,
      reachable: () => timeline.now >= server.cutUntil,
      put: (key, body) => {
        if (timeline.now >= server.cutUntil) bucket.put(key, body, this);
      },
      deleting: () => {},
      delete: (keys) => {
        if (timeline.now >= server.cutUntil) world.deleted(this, keys);
      },
      note: (what, fate) => {
        this.note(`${what}${fate === "done" ? "" : ` (${fate})`}`);
        if (fate === "done") return;
        server.troubledAt = timeline.now;
        this.uncertain.add(what);
      },
    });
  }

  #page(prefix: string, startAfter: string, options: { size: number; lag: number }) {
    const { world: { bucket, chance } } = this;
    const page = bucket.page(prefix, startAfter, options);
    if (prefix !== "present/") return page;
    const keys = page.items.map(({ key }) => key);
    const lacked = chance.happens(UNLISTED) ? chance.pick(keys) : undefined;
    const isLacked = lacked !== undefined && this.#listed.has(lacked);
    this.#listed = new Set(isLacked ? keys.filter((key) => key !== lacked) : keys);
    if (isLacked) this.note(`a listing lacks ${lacked}`);
    return { ...page, items: page.items.filter(({ key }) => this.#listed.has(key)) };
  }

  #point(name: string): void {
    const { chance } = this.world, { fatalStateCall = 0 } = this.server.conditions.faults;
    if (this.alive && chance.happens(fatalStateCall)) {
      this.die(`dies at ${name}`);
      this.world.crashed(this.server);
    }
    if (!this.alive) throw new Death();
  }
}
