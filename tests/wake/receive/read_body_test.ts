import assert from "node:assert/strict";
import { systemEnvironment } from "../../../lib/base/environment.ts";
import { readBody } from "../../../lib/wake/receive/listener.ts";
import { VirtualTime } from "../../virtual_time.ts";

function requestWith(body: ReadableStream<Uint8Array<ArrayBuffer>>): Request {
  return new Request("http://ear", { method: "POST", body });
}

/** A body of these parts. */
function bodyOf(...parts: string[]): ReadableStream<Uint8Array<ArrayBuffer>> {
  return ReadableStream.from(parts).pipeThrough(new TextEncoderStream());
}

const { clock } = systemEnvironment;

Deno.test("a body is what came, and nothing when that is more or less than was told", async () => {
  const read = (size: number) => readBody(requestWith(bodyOf("ab", "c")), size, clock);
  assert.deepEqual(await read(3), new TextEncoder().encode("abc"));
  assert.equal(await read(2), undefined);
  assert.equal(await read(4), undefined);
  assert.deepEqual(
    await readBody(new Request("http://ear", { method: "POST" }), 0, clock),
    new Uint8Array(),
  );
});

Deno.test("a body that does not come in time is let go: no more is taken of it", async () => {
  const time = new VirtualTime();
  let cancelled = false;
  const body = new ReadableStream({
    start: (controller) => controller.enqueue(new Uint8Array(1)),
    cancel: () => void (cancelled = true),
  });
  assert.equal(await time.run(readBody(requestWith(body), 2, time.clock)), undefined);
  assert.ok(cancelled);
});

Deno.test("a sender who hangs up has sent nothing", async () => {
  const body = new ReadableStream({ pull: (controller) => controller.error(new Error("gone")) });
  assert.equal(await readBody(requestWith(body), 2, clock), undefined);
});
