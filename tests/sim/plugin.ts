import { BackendUnavailableError, RejectedUpdateError } from "../../lib/errors.ts";
import type { RunningPlugin } from "../../lib/plugin.ts";
import type { Gap, Update } from "../../lib/update.ts";
import type { Process } from "./process.ts";

/** How a call goes. */
type Course = "works" | "away" | "throws" | "throwsAfter" | "hangs" | "rejects";

/** A plugin that applies updates, or fails, at once or after a while. */
export class SimPlugin implements RunningPlugin {
  readonly name: string;
  readonly concurrency: number;
  readonly #process: Process;

  constructor(
    name: string,
    { process, concurrency }: { readonly process: Process; readonly concurrency: number },
  ) {
    this.name = name;
    this.concurrency = concurrency;
    this.#process = process;
  }

  onUpdate(update: Update, signal: AbortSignal): void | Promise<void> {
    const { checks, world: { chance } } = this.#process;
    const course = this.#course();
    if (course !== "works") checks.failed(this.name, update);
    checks.begin(this.name, update);
    if (course === "works" && chance.happens(0.7)) return this.#finish(course, update);
    return this.#work(course, update, signal);
  }

  onGap(gap: Gap): void {
    this.#process.note(`${this.name} is told of the gap ${gap.stream}/${gap.first}-${gap.last}`);
    this.#process.checks.gap(gap);
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  #course(): Course {
    const { server, world: { chance, timeline, mix: { faults } } } = this.#process;
    if (timeline.now < server.pluginDownUntil) return server.pluginDownAs;
    if (chance.happens(faults.pluginHangs)) return "hangs";
    if (chance.happens(faults.pluginRejects)) return "rejects";
    if (chance.happens(faults.pluginThrows)) return chance.pick(["throws", "throwsAfter"]);
    return "works";
  }

  async #work(course: Course, update: Update, signal: AbortSignal): Promise<void> {
    const { checks, world: { chance } } = this.#process;
    const ended = () => checks.end(this.name, update);
    signal.addEventListener("abort", ended, { once: true });
    await this.#process.wait(chance.between(0, chance.pick([1, 50, 2000])));
    if (course === "hangs") await new Promise(() => {});
    if (!signal.aborted) this.#finish(course, update);
  }

  #finish(course: Course, update: Update): void {
    const { checks } = this.#process;
    this.#process.note(`${this.name} ${course}: ${update.stream}/${update.seq}`);
    checks.end(this.name, update);
    if (course === "rejects") throw new RejectedUpdateError("This update is refused");
    if (course === "away") throw new BackendUnavailableError("This plugin's backend is away");
    if (course === "throws") throw new Error("This plugin fails");
    checks.delivered(this, update);
    if (course === "throwsAfter") throw new Error("This plugin fails after it was done");
  }
}
