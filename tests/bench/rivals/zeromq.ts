/**
 * ZeroMQ: the publisher sends to whoever has subscribed. Its programs run with Node: with Deno its
 * sockets do not always tell that something has come.
 *
 * @module
 */
import { freeAddress } from "../../servers/ports.ts";
import { versionOf } from "../../servers/process.ts";
import type { Contender, Sample } from "./contender.ts";
import { buildForNode } from "./node_programs.ts";

/** Installed where it is used only: it has native code for every system, and is large. */
const PACKAGE = "zeromq", VERSION = "6.8.0";

/** What subscribers get first: from then on they get everything. */
const WELCOME = "welcome";

/** No limit to what waits: at the usual one, 1,000, updates are dropped in silence. */
const UNLIMITED = 0;

/** A socket; what is received has one part here. */
interface Socket extends AsyncIterable<[Uint8Array]> {
  bind(address: string): Promise<void>;
  connect(address: string): void;
  subscribe(): void;
  send(message: string): Promise<void>;
  receive(): Promise<[Uint8Array]>;
}

interface ZeroMQ {
  readonly XPublisher: new (options: object) => Socket;
  readonly Subscriber: new (options: object) => Socket;
}

/** PUB and SUB. */
export const zeromq: Contender<string> = {
  name: "ZeroMQ PUB/SUB",
  accepted: "publisher's memory",
  reach: "publishers, by each subscriber",
  install: "apt-get install nodejs npm",
  async version() {
    const version = await versionOf("node");
    return version && `zeromq.js ${VERSION} in Node ${version}`;
  },
  async start({ directory }) {
    return {
      address: `tcp://${freeAddress()}`,
      nodePrograms: await buildForNode(directory, { [PACKAGE]: VERSION }),
      [Symbol.asyncDispose]: () => Promise.resolve(),
    };
  },
  async publisher(address) {
    const { XPublisher }: ZeroMQ = await import(PACKAGE);
    const socket = new XPublisher({ sendHighWaterMark: UNLIMITED, welcomeMessage: WELCOME });
    await socket.bind(address);
    void takeSubscriptions(socket);
    let sending = Promise.resolve();
    return {
      // The socket takes one message after the other.
      publish: (update) => sending = sending.then(() => socket.send(JSON.stringify(update))),
    };
  },
  async subscribe(address, _index, apply) {
    const { Subscriber }: ZeroMQ = await import(PACKAGE);
    const socket = new Subscriber({ receiveHighWaterMark: UNLIMITED });
    socket.connect(address);
    socket.subscribe();
    await socket.receive(); // The welcome.
    void receiveOn(socket, apply);
  },
};

/** Nobody is welcomed by a socket that is not read. */
async function takeSubscriptions(socket: Socket): Promise<void> {
  for await (const _ of socket);
}

async function receiveOn(socket: Socket, apply: (update: Sample) => void): Promise<void> {
  for await (const [message] of socket) apply(JSON.parse(message.toString()));
}
