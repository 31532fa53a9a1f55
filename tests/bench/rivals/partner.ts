/**
 * A program that is talked with.
 *
 * @module
 */
import { join } from "node:path";
import { type Program, startNodeProgram, startProgram } from "../program.ts";
import { type ProgramInput, READY } from "./messages.ts";

/** What is not said for so many milliseconds is not said at all. */
const PATIENCE = 120_000;

/** What a partner is started with. */
export interface PartnerOptions {
  /** Where the programs are that Node runs, if Deno is not to run them. */
  readonly nodePrograms?: string;
  /** Gives up. */
  readonly signal: AbortSignal;
}

/** The publisher, or a subscriber. It is ended when it is disposed of. */
export class Partner implements AsyncDisposable {
  readonly #name: string;
  readonly #program: Program;
  readonly #signal: AbortSignal;
  /** What it said before it was ready. */
  readonly #early: unknown[] = [];

  private constructor(name: string, program: Program, signal: AbortSignal) {
    this.#name = name;
    this.#program = program;
    this.#signal = signal;
  }

  /** Starts the program, and waits until it is ready. */
  static async start(
    program: "publisher" | "subscriber",
    input: ProgramInput,
    { nodePrograms, signal }: PartnerOptions,
  ): Promise<Partner> {
    await using starting = new AsyncDisposableStack();
    const running = nodePrograms === undefined
      ? startProgram(`${program}.ts`, input)
      : startNodeProgram(join(nodePrograms, `${program}.mjs`), input);
    const name = `the ${program} of ${input.contender}`;
    const partner = starting.use(new Partner(name, running, signal));
    await partner.#ready();
    starting.move();
    return partner;
  }

  /** Tells it something. */
  tell(message: unknown): void {
    this.#program.send(message);
  }

  /** What it says next. */
  async hear<Message>(): Promise<Message> {
    return (this.#early.shift() ?? await this.#next()) as Message;
  }

  async #ready(): Promise<void> {
    for (let message = await this.#next(); message !== READY; message = await this.#next()) {
      this.#early.push(message);
    }
  }

  async #next(): Promise<unknown> {
    this.#signal.throwIfAborted();
    const { promise: given, reject } = Promise.withResolvers<never>();
    const timer = setTimeout(
      () => reject(new Error(`Nothing came from ${this.#name} for ${PATIENCE / 1000} s`)),
      PATIENCE,
    );
    const onAbort = () => reject(this.#signal.reason);
    this.#signal.addEventListener("abort", onAbort, { once: true });
    try {
      const { done, value } = await Promise.race([this.#program.lines.next(), given]);
      if (done) throw new Error(`It has ended: ${this.#name}, see above`);
      return JSON.parse(value);
    } finally {
      clearTimeout(timer);
      this.#signal.removeEventListener("abort", onAbort);
    }
  }

  /** Ends it. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#program[Symbol.asyncDispose]();
  }
}
