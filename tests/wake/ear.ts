/**
 * A listener, and what it hears.
 *
 * @module
 */
import { encodeBody, updateLine } from "../../lib/log/codec.ts";
import { BucketLog } from "../../lib/log/bucket_log.ts";
import { type Clock, systemEnvironment } from "../../lib/base/environment.ts";
import { type ObjectName, objectName } from "../../lib/log/names.ts";
import type { DeliveredCommit, OnPresence } from "../../lib/wake/source.ts";
import { listen } from "../../lib/wake/receive/listener.ts";
import { messageId } from "../../lib/wake/message.ts";
import { Signer } from "../../lib/wake/signature.ts";
import { MemoryStore } from "../memory_store.ts";
import { freeAddress } from "../servers/ports.ts";

/** What peers sign with. */
export const SECRET = `whsec_${btoa("a secret that all servers have")}`;
export const TOKEN = "a token of the service";
export const STORE = "s3://bucket/prefix";
export const NAME: ObjectName = objectName({
  kind: "tail",
  stream: "web-1_abcdefgh",
  first: 3,
  last: 3,
  writer: "ijklmnop",
});
export const ID = messageId(STORE, NAME.key);
export const BODY: Uint8Array<ArrayBuffer> = new Uint8Array(encodeBody(NAME, [
  updateLine({
    id: crypto.randomUUID(),
    url: "https://example.com/",
    time: 0,
    body: '"content":"a","metadata":{}',
  }, 3),
], { time: "2026-01-01T00:00:00.000Z" }));

/** The log in a store that nobody asks for anything. */
export function logAt(url: string, service?: string): BucketLog {
  const store = Object.assign(new MemoryStore(systemEnvironment.clock), { url, service });
  return new BucketLog(store, { environment: systemEnvironment });
}

/** A listener, and what it hears. */
export class Ear implements AsyncDisposable {
  readonly heard: (Partial<DeliveredCommit> & Pick<DeliveredCommit, "name">)[] = [];
  readonly url: string;
  readonly #listener: AsyncDisposable;

  /** Timers of this clock say how long a body may take. */
  constructor(
    { clock = systemEnvironment.clock, service, onPresence }: {
      clock?: Clock;
      service?: string;
      onPresence?: OnPresence;
    } = {},
  ) {
    const address = freeAddress();
    this.url = `http://${address}`;
    this.#listener = listen(address, {
      secret: SECRET,
      wakeToken: TOKEN,
      log: logAt(STORE, service),
      clock,
      onCommit: (name, delivered) => void this.heard.push(delivered ?? { name }),
      onPresence,
    });
  }

  /** Posts a message; resolves to the status and text of the answer. */
  async post(
    { path = "/commits", id = ID, body = BODY, secret = SECRET, now = Date.now(), headers }: {
      path?: string;
      id?: string;
      body?: Uint8Array<ArrayBuffer>;
      secret?: string;
      now?: number;
      headers?: Record<string, string>;
    } = {},
  ): Promise<[number, string]> {
    headers ??= new Signer(secret).sign(id, body, now);
    const response = await fetch(`${this.url}${path}`, { method: "POST", headers, body });
    return [response.status, await response.text()];
  }

  /** Posts an event; resolves to the status. */
  async wake(event: unknown, { query = "", headers = {} }): Promise<number> {
    const body = typeof event === "string" ? event : JSON.stringify(event);
    const response = await fetch(`${this.url}/wake${query}`, { method: "POST", headers, body });
    await response.body?.cancel();
    return response.status;
  }

  /** Begins to post a message without telling its length; resolves to the answer. */
  async postWithoutLength(): Promise<string> {
    const body = new ReadableStream<Uint8Array<ArrayBuffer>>({
      start: (controller) => controller.enqueue(BODY),
      pull: (controller) => controller.close(),
    });
    const headers = new Signer(SECRET).sign(ID, BODY, Date.now());
    const response = await fetch(`${this.url}/commits`, { method: "POST", headers, body });
    return `${response.status} ${await response.text()}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#listener[Symbol.asyncDispose]();
  }
}
