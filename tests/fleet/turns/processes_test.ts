import assert from "node:assert/strict";
import { due } from "../../../lib/due.ts";
import { checked } from "../../../lib/checked.ts";
import { connect } from "../../../lib/connect.ts";
import { publish } from "../../../lib/publish.ts";
import { temporaryDirectory } from "../../plugins/harness.ts";
import { feedsOf, reasons } from "./servers.ts";

/** Processes of one server, with one state file. */
async function processes(count: number) {
  const home = await temporaryDirectory(), stack = new AsyncDisposableStack();
  stack.use(home);
  const config = {
    ...{ server: "web-1", store: `file:${home.path}/store`, state: `${home.path}/web-1.db` },
    presence: "1m",
  };
  const connections = [];
  for (let index = 0; index < count; index++) connections.push(stack.use(await connect(config)));
  return { config, connections, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

Deno.test("processes of one server hand each feed out once", async () => {
  await using server = await processes(2);
  const [one, two] = server.connections, urls = feedsOf(20);
  const answers = await Promise.all([
    due(one, urls, { every: "15m" }),
    due(two, urls, { every: "15m" }),
    due(one, urls, { every: "15m", limit: 3 }),
  ]);
  for (const index of urls.keys()) {
    const handedOut = answers.filter((turns) => turns[index].due);
    assert.equal(handedOut.length, 1, urls[index]);
  }
});

Deno.test("a process sees at once what another one has checked or published", async () => {
  await using server = await processes(2);
  const [one, two] = server.connections, [a, b, c] = feedsOf(3), every = "15m";
  assert.deepEqual(reasons(await due(one, [a, b, c], { every })), ["due", "due", "due"]);
  assert.deepEqual(reasons(await due(two, [a, b, c], { every })), ["leased", "leased", "leased"]);
  await checked(one, a, { status: 200 });
  await publish(one, { url: b, content: "b" }, { ifChanged: true });
  assert.deepEqual(reasons(await due(two, [a, b, c], { every })), ["fresh", "fresh", "leased"]);
  await checked(two, c, { status: 500 });
  assert.deepEqual(reasons(await due(one, [a, b, c], { every })), ["fresh", "fresh", "backoff"]);
});

Deno.test("a process that runs for a moment goes on where the one before was", async () => {
  await using server = await processes(0);
  const urls = feedsOf(5);
  {
    await using first = await connect(server.config);
    await due(first, urls, { every: "15m" });
    for (const url of urls) await checked(first, url, { status: 200, ttl: "1h" });
  }
  await using next = await connect(server.config);
  const turns = await due(next, urls, { every: "15m" });
  assert.deepEqual(new Set(reasons(turns)), new Set(["fresh"]));
});
