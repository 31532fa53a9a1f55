/**
 * Listening at an address, or at a Unix socket.
 *
 * @module
 */
import { socketPath } from "../config/api.ts";
import { ConfigError, messageOf } from "../errors.ts";

/** Members of the group may use the socket, and nobody else. */
const SOCKET_MODE = 0o660;

/** How to listen. */
export interface ListenOptions {
  /** The group that may use a socket. */
  readonly gid: number | undefined;
  /** Ends the server at once. */
  readonly signal: AbortSignal;
  /** Answers a request. */
  readonly answer: (request: Request) => Promise<Response>;
}

/** A server that listens. */
export interface Listening {
  /** Where, as in the configuration; with the actual port. */
  readonly address: string;
  /** Resolves when what is answered by now has arrived, or cannot. */
  delivered(): Promise<void>;
  /** Resolves when it has ended. */
  readonly finished: Promise<void>;
}

/**
 * Listens at `listen`, as in the configuration.
 *
 * @throws {ConfigError} when that is not possible.
 */
export async function listenAt(listen: string, options: ListenOptions): Promise<Listening> {
  const path = socketPath(listen);
  try {
    return path === undefined ? listenAtPort(listen, options) : await listenAtSocket(path, options);
  } catch (cause) {
    if (cause instanceof ConfigError) throw cause;
    throw new ConfigError(`Cannot listen at ${listen} for the API: ${messageOf(cause)}`, { cause });
  }
}

/** Answers requests, and knows which answers have not arrived. */
class Answers {
  readonly #answer: (request: Request) => Promise<Response>;
  readonly #underWay = new Set<Promise<void>>();

  constructor(answer: (request: Request) => Promise<Response>) {
    this.#answer = answer;
  }

  readonly handle = (
    request: Request,
    { completed }: { readonly completed: Promise<void> },
  ): Promise<Response> => {
    const arrived = completed.catch(() => {}).finally(() => this.#underWay.delete(arrived));
    this.#underWay.add(arrived);
    return this.#answer(request);
  };

  readonly delivered = async (): Promise<void> => {
    await Promise.all(this.#underWay);
  };
}

function listenAtPort(listen: string, { signal, answer }: ListenOptions): Listening {
  const { hostname, port } = addressIn(listen);
  const { handle, delivered } = new Answers(answer);
  const { addr, finished } = Deno.serve({ hostname, port, signal, onListen() {} }, handle);
  const address = `${listen.slice(0, listen.lastIndexOf(":"))}:${addr.port}`;
  return { address, delivered, finished };
}

/** The parts of an address and port in the configuration. */
export function addressIn(listen: string): { readonly hostname: string; readonly port: number } {
  const colon = listen.lastIndexOf(":");
  const hostname = listen.slice(0, colon).replace(/^\[(.*)\]$/, "$1");
  return { hostname, port: Number(listen.slice(colon + 1)) };
}

/** Others cannot connect before the mode is set: a new socket is writable for its owner only. */
async function listenAtSocket(
  path: string,
  { gid, signal, answer }: ListenOptions,
): Promise<Listening> {
  await removeLeftover(path);
  const { handle, delivered } = new Answers(answer);
  const server = Deno.serve({ path, signal, onListen() {} }, handle);
  try {
    if (gid !== undefined) await Deno.chown(path, null, gid);
    await Deno.chmod(path, SOCKET_MODE);
  } catch (error) {
    await server.shutdown();
    throw error;
  }
  return { address: `unix:${path}`, delivered, finished: server.finished };
}

/** Whether somebody listens at the socket, as far as this process may tell. */
export async function isUsed(path: string): Promise<boolean> {
  try {
    (await Deno.connect({ transport: "unix", path })).close();
    return true;
  } catch (error) {
    return !(error instanceof Deno.errors.ConnectionRefused);
  }
}

/** A crash leaves the socket behind; only connecting tells it from that of a running server. */
async function removeLeftover(path: string): Promise<void> {
  const info = await Deno.lstat(path).catch(() => undefined);
  if (!info) return;
  if (!info.isSocket) {
    throw new ConfigError(
      `Cannot listen at unix:${path} for the API: there is a file that is no socket`,
    );
  }
  if (await isUsed(path)) {
    throw new ConfigError(`Cannot listen at unix:${path} for the API: another process does`);
  }
  await Deno.remove(path);
}
