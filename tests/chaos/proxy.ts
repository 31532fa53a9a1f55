/**
 * A proxy in front of an S3 service that disturbs requests.
 *
 * @module
 */
import { once } from "node:events";
import { Agent, createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { messageOf } from "../../lib/errors.ts";
import { carryOut, Exchange, type Target } from "./exchange.ts";
import type { Weather } from "./weather.ts";

/** A proxy that runs. */
export class DisturbingProxy implements AsyncDisposable {
  readonly #server: Server;
  readonly #target: Target;
  readonly #underWay = new Set<Promise<void>>();

  private constructor(server: Server, target: Target) {
    this.#server = server;
    this.#target = target;
  }

  /** Starts one in front of `endpoint`; each request is told to `log`, with what happens to it. */
  static async start(
    endpoint: string,
    weather: Weather,
    log: (line: string) => void,
  ): Promise<DisturbingProxy> {
    const server = createServer();
    const agent = new Agent({ keepAlive: true });
    const proxy = new DisturbingProxy(server, { endpoint: new URL(endpoint), agent });
    server.on("request", (request, response) => {
      const fault = weather.draw();
      log(`${request.method} ${request.url}${fault ? `: ${fault}` : ""}`);
      proxy.#track(
        Exchange.receive(proxy.#target, request, response)
          .then((exchange) => carryOut(exchange, fault, weather))
          .catch((error) => {
            // Who asked may be gone by now: killed, or tired of waiting.
            log(`${request.method} ${request.url} failed: ${messageOf(error)}`);
            request.socket.destroy();
          }),
      );
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return proxy;
  }

  /** Its URL. */
  get endpoint(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Ends when the last late request has landed. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
    await Promise.all(this.#underWay);
    this.#target.agent.destroy();
  }

  #track(work: Promise<void>): void {
    this.#underWay.add(work);
    work.finally(() => this.#underWay.delete(work));
  }
}
