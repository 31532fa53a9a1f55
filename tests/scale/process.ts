import { AutoResetEvent } from "../../lib/base/event.ts";
import { type Environment, sleep } from "../../lib/base/environment.ts";
import { checked } from "../../lib/checked.ts";
import { Connection } from "../../lib/connection.ts";
import { due } from "../../lib/due.ts";
import { FleetKeeper } from "../../lib/fleet/keeper.ts";
import { Handover } from "../../lib/fleet/turns/handover.ts";
import type { DueTurn, Turn } from "../../lib/fleet/turns/turn.ts";
import { BucketView } from "./bucket.ts";
import { answerOf, EVERY, type SimFeed } from "./feeds.ts";
import type { Server } from "./server.ts";
import type { World } from "./world.ts";

/** Fetches that a server makes at the same time. */
const MAX_AT_ONCE = 50;

/** Delay between two asks while feeds wait for others, and at most. */
const NEXT_MS = 500, LONGEST_MS = 60_000;

/** A run of the application, and of `watch` beside it unless the application is run by cron. */
export class Process {
  readonly connection: Connection;
  readonly #world: World;
  readonly #server: Server;
  readonly #environment: Environment;
  readonly #keeper: FleetKeeper | undefined;
  readonly #done: AutoResetEvent;
  #isAlive = true;
  #isStopping = false;
  #running = 0;
  #askedAt = -Infinity;
  #asking: Promise<void>;

  constructor(world: World, server: Server, { isCron = false } = {}) {
    this.#world = world;
    this.#server = server;
    const isAlive = () => this.#isAlive;
    const environment = this.#environment = server.environment(isAlive);
    this.#done = new AutoResetEvent(environment.clock);
    const { bucket, timeline, chance } = world, { clockErrorMs, config, state } = server;
    const view = new BucketView({
      ...{ bucket, timeline, chance, clockErrorMs, isAlive },
      count: (kind, requests) => world.count(kind, requests),
      isReachable: () => world.isReachable(server),
    });
    this.connection = new Connection(config, view, { environment, state });
    if (!isCron) this.#keeper = this.#keep();
    this.#asking = this.#ask().catch((error) => world.fail(`${server.name}: ${error.stack}`));
  }

  /** Nothing that it does from now on has any effect. */
  die(): void {
    this.#isAlive = false;
  }

  /** Stops as `watch` and an application do. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    this.#done.set();
    await this.#asking;
    await this.#keeper?.[Symbol.asyncDispose]();
    await this.connection.close();
    this.die();
  }

  /** Resolves when an application that is run by cron has nothing more to do. */
  get finished(): Promise<void> {
    return this.#asking;
  }

  #keep(): FleetKeeper {
    const parts = this.connection.parts!;
    const handover = new Handover(parts, { server: this.#server.name });
    const keeper = new FleetKeeper(parts, {
      member: parts.member,
      work: {
        onTurn: ({ isLast, signal }) => handover.writeIfDue({ force: isLast, signal }),
      },
    });
    keeper.start();
    return keeper;
  }

  async #ask(): Promise<void> {
    const { clock } = this.#environment;
    while (this.#isAlive && !this.#isStopping) {
      const turns = await this.#due();
      if (!this.#isAlive) return;
      const { untilMs, isBlocked } = this.#begin(turns);
      if (this.#isStopping || (this.#running === 0 && !this.#keeper)) break;
      if (isBlocked || !this.#keeper) {
        await this.#done.wait(LONGEST_MS);
        await this.#pause(NEXT_MS);
      } else {
        const waitMs = Math.min(LONGEST_MS, untilMs - clock.elapsed());
        await sleep(clock, Math.max(this.#world.pauseMs, waitMs));
      }
    }
    while (this.#running > 0) await this.#done.wait(LONGEST_MS);
  }

  /** Waits until so much time has passed since the last ask. */
  async #pause(ms: number): Promise<void> {
    const { clock } = this.#environment;
    const leftMs = this.#askedAt + ms - clock.elapsed();
    if (leftMs > 0) await sleep(clock, leftMs);
  }

  async #due(): Promise<readonly Turn[]> {
    this.#askedAt = this.#environment.clock.elapsed();
    this.#world.asks++;
    const limit = Math.max(0, MAX_AT_ONCE - this.#running);
    try {
      return await due(this.connection, this.#server.urls, { every: EVERY, limit });
    } catch {
      return []; // The store could not be reached, and no other server was ever seen.
    }
  }

  /** Fetches what is due; tells when to ask again. */
  #begin(turns: readonly Turn[]) {
    let blocked = -this.#running, until = "~";
    for (let place = 0; place < turns.length; place++) {
      const turn = turns[place];
      if (turn.due) {
        this.#fetch(this.#server.feeds[place], turn);
      } else if (turn.reason === "leased" || turn.reason === "limit") blocked++;
      else if (turn.until !== undefined && turn.until < until) until = turn.until;
    }
    const isBlocked = blocked > 0 && this.#running > 0;
    return { isBlocked, untilMs: until === "~" ? Infinity : Date.parse(until) };
  }

  async #fetch(feed: SimFeed, { headers }: DueTurn): Promise<void> {
    const { timeline, chance, ledger } = this.#world, { clock } = this.#environment;
    const isConditional = headers["If-None-Match"] !== undefined;
    this.#running++;
    ledger.noteFetch(feed, this.#server, { now: timeline.now, isConditional });
    const { tookMs, outcome } = answerOf(feed, { isConditional, chance });
    await sleep(clock, tookMs);
    await checked(this.connection, feed.url, outcome);
    if (feed.kind === "patient") ledger.noteAnswer(feed, timeline.now + feed.maxAgeMs);
    this.#running--;
    this.#done.set();
  }
}
