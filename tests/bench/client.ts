/**
 * Programs in processes of their own that use the local API of a server here.
 *
 * @module
 */
import type { FeedSync } from "@feedsync/feedsync";
import { serveApi } from "@feedsync/feedsync/api";
import { type Program, startProgram } from "./program.ts";

/** The section `api` of a server that has clients. */
export const API = { listen: "127.0.0.1:0", token: "a-token-for-benchmarks" } as const;

/** Where a client finds the API. */
export interface ApiAddress {
  readonly address: string;
  readonly token: string;
}

/** A client that runs. */
export interface Client extends AsyncDisposable {
  /** Its program. */
  readonly program: Program;
  /** The next line that it prints, as JSON. */
  next<T>(): Promise<T>;
}

/** Serves the API of a server that is configured with {@linkcode API}, and starts a program of `programs/`. */
export async function startClient(sync: FeedSync, name: string): Promise<Client> {
  const serving = await serveApi(sync);
  const client = clientOf({ address: serving.address, token: API.token }, name);
  return {
    ...client,
    async [Symbol.asyncDispose]() {
      await client[Symbol.asyncDispose]();
      await serving.close();
    },
  };
}

/** Starts a program of `programs/` that uses the API at an address. */
export function clientOf(address: ApiAddress, name: string): Client {
  const program = startProgram(name, address);
  return {
    program,
    async next() {
      const { done, value } = await program.lines.next();
      if (done) throw new Error(`${name} has ended, see above`);
      return JSON.parse(value);
    },
    [Symbol.asyncDispose]: () => program[Symbol.asyncDispose](),
  };
}
