/**
 * A request on its way through the proxy, and what faults do to it.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import {
  type Agent,
  type ClientRequest,
  type IncomingHttpHeaders,
  type IncomingMessage,
  request as send,
  type ServerResponse,
} from "node:http";
import { buffer } from "node:stream/consumers";
import { pause } from "./waiting.ts";
import type { Fault, Weather } from "./weather.ts";

/** Longest delay of a request, in milliseconds. */
const DELAY = 1500;

/** A write lands so many milliseconds after it was reported failed, at most. */
const LATE = 10_000;

/** An answer of the service. */
interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** Where requests go. */
export interface Target {
  readonly endpoint: URL;
  readonly agent: Agent;
}

/** A request, read whole, and the connection it came on. */
export class Exchange {
  readonly #target: Target;
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #body: Buffer;

  private constructor(
    target: Target,
    request: IncomingMessage,
    response: ServerResponse,
    body: Buffer,
  ) {
    this.#target = target;
    this.#request = request;
    this.#response = response;
    this.#body = body;
  }

  /** Reads the request. */
  static async receive(
    target: Target,
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<Exchange> {
    return new Exchange(target, request, response, await buffer(request));
  }

  /** Sends it on; headers stay as they are, since the host is part of what is signed. */
  async forward(): Promise<Answer> {
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
    this.#open(resolve, reject).end(this.#body);
    const answer = await promise;
    return { status: answer.statusCode!, headers: answer.headers, body: await buffer(answer) };
  }

  /** Sends half of it on, and hangs up. */
  async forwardHalf(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const request = this.#open(() => resolve(), () => resolve());
    request.write(half(this.#body), () => request.destroy());
    request.once("close", resolve);
    await promise;
  }

  /** Answers. */
  answer({ status, headers, body }: Answer): void {
    this.#head(status, headers, body.length);
    this.#response.end(body);
  }

  /** Answers as a service that does not want to. */
  refuse(status: number, code: string): void {
    const body = Buffer.from(`<Error><Code>${code}</Code><Message>Not now</Message></Error>`);
    this.answer({ status, headers: { "content-type": "application/xml" }, body });
  }

  /** Sends half of the answer's body, and hangs up. */
  cut({ status, headers, body }: Answer): void {
    this.#head(status, headers, body.length);
    this.#response.write(half(body), () => this.hangUp());
  }

  /** Ends the connection without a word. */
  hangUp(): void {
    this.#request.socket.destroy();
  }

  #open(onAnswer: (answer: IncomingMessage) => void, onError: (error: Error) => void) {
    const { method, url, headers } = this.#request;
    const { endpoint: { hostname, port }, agent } = this.#target;
    const request: ClientRequest = send({ hostname, port, method, path: url, headers, agent });
    return request.on("response", onAnswer).on("error", onError);
  }

  /** Whatever the framing was, the body is sent with its length. */
  #head(status: number, headers: IncomingHttpHeaders, length: number): void {
    const { "transfer-encoding": _, "content-length": __, ...others } = headers;
    const framing = status === 204 ? {} : { "content-length": length };
    this.#response.writeHead(status, { ...others, ...framing });
  }
}

/** What becomes of a request with each fault. */
const OUTCOMES: Record<Fault, (exchange: Exchange, weather: Weather) => Promise<void> | void> = {
  async delay(exchange, weather) {
    await pause(weather.time(DELAY));
    exchange.answer(await exchange.forward());
  },
  async answerLost(exchange) {
    await exchange.forward();
    exchange.hangUp();
  },
  async late(exchange, weather) {
    exchange.hangUp();
    await pause(weather.time(LATE));
    await exchange.forward();
  },
  unavailable: (exchange) => exchange.refuse(503, "SlowDown"),
  throttled: (exchange) => exchange.refuse(429, "TooManyRequests"),
  async answerCut(exchange) {
    exchange.cut(await exchange.forward());
  },
  async answerShortened(exchange) {
    const answer = await exchange.forward();
    exchange.answer({ ...answer, body: half(answer.body) });
  },
  async requestCut(exchange) {
    await exchange.forwardHalf();
    exchange.hangUp();
  },
  async hang(exchange, weather) {
    await exchange.forward();
    await weather.calmed;
    exchange.hangUp();
  },
  outage: (exchange) => exchange.hangUp(),
};

/** Lets the request have its effect and its answer, as far as the fault allows it. */
export async function carryOut(
  exchange: Exchange,
  fault: Fault | undefined,
  weather: Weather,
): Promise<void> {
  if (fault) await OUTCOMES[fault](exchange, weather);
  else exchange.answer(await exchange.forward());
}

function half(body: Buffer): Buffer {
  return body.subarray(0, Math.floor(body.length / 2));
}
