/**
 * A server of the demo.
 *
 * @module
 */
import type { Arrival, WatchProcess } from "./watch_process.ts";

/** A server: the processes that ran with its name, in sequence. */
export class DemoServer {
  /** Name of the server, such as `web-1`. */
  readonly name: string;
  readonly #spawn: (server: DemoServer) => WatchProcess;
  readonly #processes: WatchProcess[] = [];

  /** Creates a server, without starting it. */
  constructor(name: string, spawn: (server: DemoServer) => WatchProcess) {
    this.name = name;
    this.#spawn = spawn;
  }

  /** Its processes, the newest last. */
  get processes(): readonly WatchProcess[] {
    return this.#processes;
  }

  /** The updates that each of its processes printed. */
  get runs(): readonly (readonly Arrival[])[] {
    return this.#processes.map(({ arrivals }) => arrivals);
  }

  /** Starts a process, and resolves when it watches. */
  async start(): Promise<void> {
    const process = this.#spawn(this);
    this.#processes.push(process);
    await process.until(() => process.watchingSince < Infinity, `${this.name} start`);
  }

  /** Resolves when it has applied the update with this number; earlier ones are checked later. */
  async applied(seq: number): Promise<void> {
    await this.#process.until(
      () => this.runs.flat().some(({ update }) => update.seq >= seq),
      `update ${seq} arrive at ${this.name}`,
    );
  }

  /** Kills its process, without a chance to store anything. */
  async kill(): Promise<void> {
    await this.#process.kill();
  }

  /** Ends its process gracefully. */
  async stop(): Promise<void> {
    await this.#process.stop(`${this.name} stop`);
  }

  get #process(): WatchProcess {
    const process = this.#processes.at(-1);
    if (!process) throw new Error(`${this.name} was not started`);
    return process;
  }
}
