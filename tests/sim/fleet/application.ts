import { checked } from "../../../lib/checked.ts";
import { due } from "../../../lib/due.ts";
import {
  AccessDeniedError,
  ClosedError,
  messageOf,
  StoreUnavailableError,
} from "../../../lib/errors.ts";
import type { CheckOutcome } from "../../../lib/fleet/turns/outcome.ts";
import type { DueTurn, Turn } from "../../../lib/fleet/turns/turn.ts";
import { publish } from "../../../lib/publish.ts";
import { Death } from "../process_environment.ts";
import type { FleetProcess } from "./process.ts";
import { type Answer, ANSWER_MS } from "./publishers.ts";

/** It is said that long how often the application asks: never exactly. */
const JITTER = 0.02;

/** The application of a server: asks for turns, fetches, publishes, and tells what came of that. */
export class Application {
  readonly #process: FleetProcess;
  readonly #fetching = new Set<Promise<void>>();

  constructor(process: FleetProcess) {
    this.#process = process;
  }

  /** Asks until the process stops; once, when cron has started it. */
  async run(): Promise<void> {
    const { server: { habits }, world: { chance } } = this.#process;
    try {
      while (this.#process.alive && !this.#process.stopping) {
        const hasFetched = await this.#round();
        if (hasFetched) continue;
        if (habits.mode === "cron") return await this.#process.stop();
        await this.#process.wait(habits.askEveryMs * (1 - JITTER * chance.fraction()));
      }
    } catch (error) {
      if (!(error instanceof Death)) this.#process.fail(`The application ended: ${stackOf(error)}`);
    }
  }

  /** Resolves when no fetch goes on. */
  async idle(): Promise<void> {
    await Promise.all(this.#fetching);
  }

  /** Asks once, and fetches what is due. */
  async #round(): Promise<boolean> {
    const { connection, server, world } = this.#process, { timeline, mix: { everyMs } } = world;
    if (timeline.now < server.silentUntil) return false;
    const every = `${everyMs / 1000}s` as const;
    try {
      const turns = await due(connection, server.list, { every });
      if (!this.#process.alive) return false;
      world.note(server.label, `asked: ${summaryOf(turns)}`);
      world.promises.answered(this.#process, turns);
      const fetched = turns.filter((turn) => turn.due);
      const fetches = fetched.map((turn) => this.#track(this.#fetch(turn)));
      await Promise.all(fetches);
      return fetched.length > 0;
    } catch (error) {
      this.#expect("due()", error);
      return false;
    }
  }

  #track(fetch: Promise<void>): Promise<void> {
    this.#fetching.add(fetch);
    return fetch.finally(() => this.#fetching.delete(fetch));
  }

  async #fetch(turn: DueTurn): Promise<void> {
    const { server, world } = this.#process, { chance, promises, publishers, timeline } = world;
    promises.fetches(this.#process, turn);
    if (server.hangs) {
      server.hangs = false;
      this.#process.note(`never gets ${turn.url}`);
      return world.disturb();
    }
    await this.#process.wait(chance.between(100, ANSWER_MS));
    const answer = publishers.answer(turn.url, turn.headers, timeline.now);
    promises.gets(this.#process, turn, answer);
    this.#process.note(`gets ${answer.status} from ${turn.url}`);
    try {
      if (answer.status === 200) await this.#publish(turn.url, answer);
      await this.#tell(turn.url, answer);
    } catch (error) {
      this.#expect("checked()", error);
    }
  }

  async #publish(url: string, { content }: Answer): Promise<void> {
    const { connection, disk, server: { habits: { tells } } } = this.#process;
    disk.leases.delete(url);
    if (tells === "content" || content === undefined) return;
    try {
      await publish(connection, { url, content }, { ifChanged: tells === "ifChanged" });
    } catch (error) {
      this.#expect("publish()", error);
    }
  }

  async #tell(url: string, answer: Answer): Promise<void> {
    const { connection, server: { habits: { tells } }, world: { promises } } = this.#process;
    const { status, headers, content, scope } = answer;
    const outcome: CheckOutcome = {
      status,
      headers,
      scope,
      ...tells === "content" && content !== undefined && { content },
      ...status === undefined && { error: "no answer" },
    };
    promises.tells(this.#process, url, answer);
    promises.told(this.#process, url, answer, await checked(connection, url, outcome));
  }

  #expect(what: string, error: unknown): void {
    if (error instanceof Death) throw error;
    const isExpected = error instanceof StoreUnavailableError ||
      error instanceof AccessDeniedError ||
      (this.#process.stopping && error instanceof ClosedError);
    if (!isExpected && this.#process.alive) this.#process.fail(`${what} failed: ${stackOf(error)}`);
    this.#process.note(`${what} failed: ${messageOf(error)}`);
  }
}

/** The numbers of feeds, by what is said of them. */
function summaryOf(turns: readonly Turn[]): string {
  const feeds = Map.groupBy(
    turns,
    (turn) => turn.due ? "due" : turn.reason === "owner" ? `of ${turn.owner}` : turn.reason,
  );
  const number = (url: string) => /\d+(?=\.xml)/.exec(url)?.[0];
  return [...feeds].map(([why, some]) => `${why} ${some.map(({ url }) => number(url))}`).join("; ");
}

function stackOf(error: unknown): unknown {
  return error instanceof Error ? error.stack : error;
}
