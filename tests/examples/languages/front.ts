/**
 * What stands before the API of a server: it is too busy at first, and notes what is answered.
 *
 * @module
 */
import { connect, createServer, type Server, type Socket } from "node:net";
import { once } from "node:events";
import type { AddressInfo } from "node:net";

const BUSY = "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nContent-Length: 0\r\n" +
  "Connection: close\r\n\r\n";

/** Passes connections on to an address, as long as something answers there. */
export class Front implements AsyncDisposable {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  /** The statuses of all answers. */
  readonly statuses = new Set<number>();
  #isBusy: boolean;

  private constructor(address: string, isBusy: boolean) {
    this.#isBusy = isBusy;
    this.#server = createServer((client) => this.#pass(client, address));
  }

  /** Starts it. When it is busy, it refuses the first request. */
  static async start(address: string, { isBusy = false } = {}): Promise<Front> {
    const front = new Front(address, isBusy);
    front.#server.listen(0, "127.0.0.1");
    await once(front.#server, "listening");
    return front;
  }

  get origin(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  #pass(client: Socket, address: string): void {
    this.#hold(client);
    if (this.#isBusy) {
      this.#isBusy = false;
      client.once("data", () => client.end(BUSY, () => this.statuses.add(503)));
      return;
    }
    const [hostname, port] = address.split(":");
    const server = connect(Number(port), hostname);
    this.#hold(server);
    server.on("data", (bytes) => {
      for (const [, status] of String(bytes).matchAll(/^HTTP\/1\.1 (\d{3})/gm)) {
        this.statuses.add(Number(status));
      }
    });
    client.pipe(server).pipe(client);
    for (const [one, other] of [[client, server], [server, client]]) {
      one.on("close", () => other.end());
    }
  }

  #hold(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on("error", () => {}); // A close follows.
    socket.on("close", () => this.#sockets.delete(socket));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#server, "close");
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }
}
