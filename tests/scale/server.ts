import type { Environment } from "../../lib/base/environment.ts";
import { resolveConfig, type ResolvedConfig } from "../../lib/config/resolve.ts";
import { State } from "../../lib/state/state.ts";
import type { SimFeed } from "./feeds.ts";
import type { Fetcher } from "./ledger.ts";
import { Process } from "./process.ts";
import type { World } from "./world.ts";

/** A state that outlives its connections, as a file does. */
class LastingState extends State {
  override [Symbol.dispose](): void {}

  end(): void {
    super[Symbol.dispose]();
  }
}

/** A machine with an application that fetches feeds. */
export class Server implements Fetcher {
  readonly index: number;
  readonly name: string;
  readonly config: ResolvedConfig;
  readonly feeds: readonly SimFeed[];
  readonly urls: readonly string[];
  readonly askedEveryMs: number;
  readonly clockErrorMs: number;
  /** Until then the store does not answer this server. */
  cutOffUntil = 0;
  process: Process | undefined;
  readonly #world: World;
  #state: LastingState | undefined;

  constructor(
    world: World,
    { index, feeds, urls, askedEveryMs }: Pick<Server, "index" | "feeds" | "urls" | "askedEveryMs">,
  ) {
    this.#world = world;
    this.index = index;
    this.name = `web-${index + 1}`;
    this.feeds = feeds;
    this.urls = urls;
    this.askedEveryMs = askedEveryMs;
    this.clockErrorMs = world.chance.between(-2000, 2000);
    this.config = resolveConfig({ server: this.name, state: ":memory:", poll: "10s" });
  }

  /** Its state, which a crash leaves as it is. */
  get state(): State {
    const owner = { server: this.name, store: "scale:" };
    return this.#state ??= new LastingState(":memory:", owner, this.#world.chance);
  }

  /** Whether its application is run by cron, with no `watch` beside it. */
  get isCron(): boolean {
    return this.askedEveryMs > 60_000;
  }

  start(): void {
    if (this.isCron) this.#runRegularly();
    else this.process = new Process(this.#world, this);
  }

  async #runRegularly(): Promise<void> {
    const { timeline } = this.#world;
    for (;;) {
      const beganAt = timeline.now;
      this.process = new Process(this.#world, this, { isCron: true });
      await this.process.finished;
      await this.process.stop();
      const restMs = this.askedEveryMs - (timeline.now - beganAt) % this.askedEveryMs;
      await new Promise<void>((resolve) => timeline.after(restMs, resolve));
    }
  }

  /** Ends at once. */
  crash(): void {
    this.process?.die();
    this.process = undefined;
  }

  /** Ends gracefully. */
  async stop(): Promise<void> {
    await this.process?.stop();
    this.process = undefined;
  }

  /** The disk is lost: the next process begins with a new state. */
  loseState(): void {
    this.#state?.end();
    this.#state = undefined;
  }

  /** Time and randomness of a process, which ends with it. */
  environment(isAlive: () => boolean): Environment {
    const { timeline, chance } = this.#world;
    return {
      random: chance,
      clock: {
        now: () => Math.floor(timeline.now + this.clockErrorMs),
        elapsed: () => timeline.now,
        setTimer: (ms, callback) => timeline.after(ms, () => isAlive() && callback()),
      },
    };
  }
}
