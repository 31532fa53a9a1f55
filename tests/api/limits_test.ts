import assert from "node:assert/strict";
import { systemEnvironment } from "../../lib/base/environment.ts";
import { MAX_BODY_BYTES } from "../../lib/api/bodies.ts";
import { Slots } from "../../lib/api/slots.ts";
import { ndjsonResponse } from "../../lib/api/ndjson.ts";
import { nestedText } from "../hostile/values.ts";
import { VirtualTime } from "../virtual_time.ts";
import { raw, requestText, statusIn } from "./raw.ts";
import { ApiUnderTest, TOKEN } from "./server.ts";

const JSON_TYPE = { "content-type": "application/json" };

/** A clock on which the time limit of bodies is over at once. */
const hasty = {
  ...systemEnvironment.clock,
  setTimer: (ms: number, callback: () => void) =>
    systemEnvironment.clock.setTimer(ms === 30_000 ? 20 : ms, callback),
};

Deno.test("a body that is too large is refused before it is read, and while it is", async () => {
  await using server = await ApiUnderTest.start();
  const headers = {
    Host: "localhost",
    Authorization: `Bearer ${TOKEN}`,
    "Content-Type": "application/json",
  };
  const announced = requestText("POST /v1/updates", {
    ...headers,
    "Content-Length": String(MAX_BODY_BYTES + 1),
  });
  assert.equal(statusIn(await raw({ port: server.port }, announced)), 413);
  const chunk = new Uint8Array(1024 * 1024).fill(32);
  let sent = 0;
  const body = new ReadableStream({
    pull(controller) {
      if (sent++ < 100) controller.enqueue(chunk);
      else controller.close();
    },
  });
  const { status } = await server.request("POST", "/v1/due", { body, headers: JSON_TYPE })
    .catch(() => ({ status: 413 })); // The connection is closed.
  assert.equal(status, 413);
  assert.ok(sent < 50, `${sent} MB were taken`);
});

Deno.test("a body that does not arrive is given up", async () => {
  await using server = await ApiUnderTest.start({ clock: hasty });
  const headers = {
    Host: "localhost",
    Authorization: `Bearer ${TOKEN}`,
    "Content-Type": "application/json",
  };
  const begun = `${requestText("POST /v1/updates", { ...headers, "Content-Length": "100" })}{`;
  assert.equal(statusIn(await raw({ port: server.port }, begun)), 408);
});

Deno.test("JSON that is nested deep, or is none, is an error and nothing more", async () => {
  await using server = await ApiUnderTest.start();
  const deep = nestedText("[", "]", 1_000_000), object = nestedText('{"a":', "}", 200_000, "1");
  for (const path of ["/v1/updates", "/v1/due", "/v1/checked", "/v1/dead-letters/retry"]) {
    for (const body of [deep, object, "", "nonsense", "\xff", "null", "0"]) {
      const { status } = await server.request("POST", path, { body, headers: JSON_TYPE });
      assert.equal(status, 400, `${path} ${body.slice(0, 20)}`);
    }
  }
  assert.equal((await server.get("/livez")).status, 200);
});

Deno.test("there are only so many requests at once", () => {
  const slots = new Slots(2);
  const taken = [slots.take(), slots.take()];
  assert.throws(() => slots.take(), { name: "TooBusyError", status: 503 });
  taken[0][Symbol.dispose]();
  taken[0][Symbol.dispose]();
  assert.equal(slots.taken, 1);
});

/** Lines without end, and how many were made. */
function endless() {
  const counter = { made: 0, isEnded: false };
  async function* lines() {
    try {
      for (;;) {
        await Promise.resolve();
        yield { line: counter.made++ };
      }
    } finally {
      counter.isEnded = true;
    }
  }
  return { counter, lines: lines() };
}

Deno.test("lines are made only as fast as they are read, and not for ever", async () => {
  const time = new VirtualTime(), slots = new Slots(1), { counter, lines } = endless();
  const closing = new AbortController();
  const response = ndjsonResponse(lines, {
    clock: time.clock,
    closing: closing.signal,
    slot: slots.take(),
  });
  const reader = response.body!.getReader();
  assert.equal(counter.made, 0);
  await reader.read();
  const { made } = counter;
  assert.ok(made < 10_000, `${made}`);
  await time.pass(59_000);
  assert.deepEqual([counter.made, slots.taken], [made, 1]);
  await time.pass(2_000);
  assert.deepEqual([counter.isEnded, slots.taken], [true, 0]);
  assert.equal((await reader.read()).done, true);
});

Deno.test("clients that never read take one of a few places, and are let go at the stop", async () => {
  await using server = await ApiUnderTest.start();
  const updates = Array.from({ length: 3000 }, (_, i) => ({
    url: `https://example.com/${"long".repeat(100)}/${i}`,
    content: "a",
  }));
  await server.post("/v1/updates", updates);
  const request = requestText("GET /v1/feeds", {
    Host: "localhost",
    Authorization: `Bearer ${TOKEN}`,
    Connection: "keep-alive",
  });
  const clients = await Promise.all(Array.from({ length: 30 }, async () => {
    const connection = await Deno.connect({ port: server.port });
    await connection.write(new TextEncoder().encode(request));
    return connection;
  }));
  const answers = await Promise.all(clients.map(async (client) => {
    const bytes = new Uint8Array(100);
    return statusIn(new TextDecoder().decode(bytes.subarray(0, await client.read(bytes) ?? 0)));
  }));
  assert.deepEqual(
    [200, 503].map((status) => answers.filter((answer) => answer === status).length),
    [8, 22],
  );
  assert.equal((await server.get("/v1/dead-letters")).status, 200);
  await server.api.close();
  for (const client of clients) client.close();
});
