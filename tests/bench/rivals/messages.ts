/**
 * What the processes of a comparison say to each other, in lines of JSON.
 *
 * @module
 */
import { createInterface } from "node:readline";
import process from "node:process";

/** What the programs are started with. */
export interface ProgramInput {
  /** Name of the contender. */
  readonly contender: string;
  /** Where it is. */
  readonly address: unknown;
  /** Which of the subscribers it is. */
  readonly index?: number;
}

/** What the publisher is told: to publish so many updates in so many tasks, or to do bare requests. */
export type Command = { readonly count: number; readonly tasks: number } | {
  readonly bare: number;
};

/** The answer of the publisher: everything is accepted. */
export interface Published {
  /** When it began. */
  readonly began: number;
  /** When the last of it was accepted. */
  readonly ended: number;
}

/** The answer of the publisher: how long each of the bare requests took, in milliseconds. */
export interface Bare {
  /** None where the contender has none. */
  readonly times: readonly number[];
}

/** What a program tells when it is connected. */
export const READY = "ready";

/** What a program is started with. */
export function programInput<Input>(): Input {
  return JSON.parse(process.argv[2]);
}

/** Tells something. */
export function tell(message: unknown): void {
  console.log(JSON.stringify(message));
}

/** What a program is told, until the one who tells it is gone. */
export async function* messages<Message>(): AsyncIterable<Message> {
  for await (const line of createInterface({ input: process.stdin })) yield JSON.parse(line);
}
