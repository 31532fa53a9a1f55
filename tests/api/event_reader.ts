/**
 * Reads events, and checks that they are as described.
 *
 * @module
 */
import assert from "node:assert/strict";
import { type EventData, type EventName, EVENTS } from "../../lib/api/events/schemas.ts";
import type { ApiUnderTest } from "./server.ts";
import { TOKEN } from "./server.ts";

/** Events of a server. */
export class EventReader implements AsyncDisposable {
  readonly #chunks: ReadableStreamDefaultReader<string>;
  /** All that was read. */
  text = "";
  #rest = "";

  private constructor(chunks: ReadableStreamDefaultReader<string>) {
    this.#chunks = chunks;
  }

  static async open({ origin }: ApiUnderTest): Promise<EventReader> {
    const headers = { authorization: `Bearer ${TOKEN}` };
    const { status, body, headers: answered } = await fetch(`${origin}/v1/events`, { headers });
    assert.deepEqual([status, answered.get("content-type")], [200, "text/event-stream"]);
    return new EventReader(body!.pipeThrough(new TextDecoderStream()).getReader());
  }

  /** Reads on until an event with this name is as wanted. */
  async until<Name extends EventName>(
    name: Name,
    isWanted: (data: EventData[Name]) => boolean = () => true,
  ): Promise<EventData[Name]> {
    for (;;) {
      const event = await this.next();
      assert.ok(event, `The events have ended without the wanted ${name}`);
      if (event.name === name && isWanted(event.data as EventData[Name])) {
        return event.data as EventData[Name];
      }
    }
  }

  /** The next event; undefined at the end. */
  async next(): Promise<{ name: EventName; data: EventData[EventName] } | undefined> {
    while (!this.#rest.includes("\n\n")) {
      const { done, value } = await this.#chunks.read();
      if (done) return undefined;
      this.#rest += value;
      this.text += value;
    }
    const end = this.#rest.indexOf("\n\n"), event = this.#rest.slice(0, end);
    this.#rest = this.#rest.slice(end + 2);
    const [, name, json] = /^event: (\w+)\ndata: (.*)$/.exec(event) ?? assert.fail(event);
    const schema = EVENTS[name as EventName];
    return { name: name as EventName, data: schema.parse(JSON.parse(json)) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#chunks.cancel();
  }
}
