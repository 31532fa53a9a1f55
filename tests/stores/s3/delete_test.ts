import assert from "node:assert/strict";
import { AccessDeniedError, StoreUnavailableError } from "../../../lib/errors.ts";
import { openS3Store } from "../../../lib/stores/s3/s3_store.ts";
import { fauxqsServer } from "../../servers/fauxqs.ts";
import {
  httpProxy,
  httpServer,
  s3Failure,
  type Server,
  unreachableEndpoint,
} from "../../servers/http.ts";
import { VirtualTime } from "../../virtual_time.ts";
import { bytes, keys } from "../contract.ts";

const BUCKET = {
  region: "us-east-1",
  accessKeyId: "test",
  secretAccessKey: "test",
  bucket: "feed-sync",
};

/** A service that answers batches of deletes as told, and does everything else. */
async function serviceWith(
  batch: (request: Request, forward: () => Promise<Response>) => Response | Promise<Response>,
): Promise<Server> {
  const service = await fauxqsServer("feed-sync");
  const proxy = httpProxy(
    service.endpoint,
    async (request, forward) =>
      request.method === "POST" ? await batch(request, forward) : await forward(),
  );
  return {
    endpoint: proxy.endpoint,
    async [Symbol.asyncDispose]() {
      await proxy[Symbol.asyncDispose]();
      await service[Symbol.asyncDispose]();
    },
  };
}

Deno.test("delete() does it one by one whatever is answered to a batch, and remembers that", async () => {
  const html = { headers: { "content-type": "text/html" } };
  const answers = [
    () => s3Failure(501, "NotImplemented"),
    () => s3Failure(400, "MalformedXML"),
    () => s3Failure(400, "MissingContentMD5"),
    () => s3Failure(400, "MissingArgument"),
    () => s3Failure(400, "InvalidRequest"),
    () => s3Failure(400, "AnythingElse"),
    () => s3Failure(403, "AccessDenied"),
    () => s3Failure(403, "MethodNotAllowed"),
    () => s3Failure(404, "NoSuchKey"),
    () => new Response("Method Not Allowed", { status: 405 }),
    () => new Response("Not found", { status: 404 }),
    () => new Response("<html>No</html>", { status: 403, ...html }),
    () => new Response(null, { status: 411 }),
    () => new Response(null, { status: 302, headers: { location: "/login" } }),
    () => new Response("<html>Log in</html>", html),
    () => new Response("<html>Log in</html>"),
    () => new Response("garbage"),
    () => new Response(null),
    () => new Response(null, { status: 204 }),
    () => new Response("<DeleteResult/>"),
    () => new Response("<DeleteResult><Error><Code>MethodNotAllowed</Code></Error></DeleteResult>"),
  ];
  for (const answer of answers) {
    await using service = await serviceWith(answer);
    await using store = await openS3Store({ ...BUCKET, endpoint: service.endpoint });
    const all = Array.from({ length: 20 }, (_, index) => `a/${index}`);
    for (const key of [...all, "b"]) await store.put(key, bytes("x"));
    assert.deepEqual(await store.delete(all), [], String(answer));
    assert.deepEqual(await keys(store, ""), ["b"]);
    assert.equal(store.requests.delete, 21, String(answer));
    assert.deepEqual(await store.delete(["b"]), []);
    assert.equal(store.requests.delete, 22, `remembered: ${answer}`);
  }
});

Deno.test("delete() tries batches again after a failure of one that may pass", async () => {
  const answers = [
    () => s3Failure(500, "InternalError"),
    () => s3Failure(503, "SlowDown"),
    () => s3Failure(429, "TooManyRequests"),
    () => new Response("Bad Gateway", { status: 502 }),
    () =>
      new Response(
        "<DeleteResult><Error><Key>a</Key><Code>InternalError</Code></Error></DeleteResult>",
      ),
  ];
  for (const answer of answers) {
    let isFailing = true;
    await using service = await serviceWith((_, forward) => isFailing ? answer() : forward());
    await using store = await openS3Store({ ...BUCKET, endpoint: service.endpoint });
    for (const key of ["a", "b", "c", "d"]) await store.put(key, bytes("x"));
    assert.deepEqual(await store.delete(["a", "b"]), [], String(answer));
    isFailing = false;
    const before = store.requests.delete;
    assert.deepEqual(await store.delete(["c", "d"]), []);
    assert.equal(store.requests.delete, before + 1, String(answer));
    assert.deepEqual(await keys(store, ""), []);
  }
});

Deno.test("delete() sends what a batch leaves one by one, and tells what is left then", async () => {
  const all = Array.from({ length: 2_500 }, (_, index) => `a/${index}`);
  const error = (index: number, code: string) =>
    `<Error><Key>p/a/${index}</Key><Code>${code}</Code><Message>no</Message></Error>`;
  const answer = all.map((key, index) => {
    if (index === 7 || index === 8) return error(index, "AccessDenied");
    return index === 9 ? error(9, "NoSuchKey") : `<Deleted><Key>p/${key}</Key></Deleted>`;
  }).slice(0, 1_000);
  await using server = httpServer(({ method }) =>
    method === "POST"
      ? new Response(`<DeleteResult>${answer.join("")}</DeleteResult>`)
      : s3Failure(403, "AccessDenied", "no")
  );
  await using store = await openS3Store({ ...BUCKET, prefix: "p/", endpoint: server.endpoint });
  const failed = await store.delete(all);
  assert.deepEqual(failed.map(({ key }) => key), ["a/7", "a/8", ...all.slice(1_000)]);
  assert.ok(failed[0].error instanceof AccessDeniedError);
  assert.match(failed[0].error.message, /while deleting a\/7: AccessDenied: no/);
  assert.equal(store.requests.delete, 2);
});

Deno.test("delete() of what is gone already succeeds, in whatever words the service says so", async () => {
  const answers = [
    () => s3Failure(404, "NoSuchKey"),
    () => new Response("<html>Not found</html>", { status: 404 }),
    () => new Response(null, { status: 404 }),
  ];
  for (const answer of answers) {
    await using server = httpServer(({ method }) =>
      method === "POST" ? s3Failure(501, "NotImplemented") : answer()
    );
    await using store = await openS3Store({ ...BUCKET, endpoint: server.endpoint });
    assert.deepEqual(await store.delete(["a", "b"]), []);
  }
});

Deno.test("delete() believes a batch whatever type its answer claims to have", async () => {
  await using service = await serviceWith(async (_, forward) => {
    const { status, body } = await forward();
    return new Response(body, { status, headers: { "content-type": "text/html" } }); // As Swift.
  });
  await using store = await openS3Store({ ...BUCKET, ...service });
  for (const key of ["a", "b"]) await store.put(key, bytes("x"));
  assert.deepEqual(await store.delete(["a", "b"]), []);
  assert.equal(store.requests.delete, 1);
  assert.deepEqual(await keys(store, ""), []);
});

Deno.test("delete() takes what some other server answers for no success", async () => {
  const json = { headers: { "content-type": "application/json" } };
  const answers = [
    () => new Response("<html>Log in</html>", { headers: { "content-type": "text/html" } }),
    () => new Response("{}", json),
    () => new Response("<Error><Code>AccessDenied</Code></Error>"),
  ];
  for (const answer of answers) {
    await using server = httpServer(answer);
    await using store = await openS3Store({ ...BUCKET, endpoint: server.endpoint });
    const failed = await store.delete(["a", "b"]);
    assert.deepEqual(failed.map(({ key }) => key), ["a", "b"]);
    for (const { error } of failed) assert.ok(error instanceof StoreUnavailableError);
  }
});

Deno.test("delete() sends one object after a batch that got no answer, and no more without one", async () => {
  await using store = await openS3Store({ ...BUCKET, endpoint: unreachableEndpoint() });
  const failed = await store.delete(["a", "b"]);
  assert.equal(failed.length, 2);
  // Three attempts of the batch, and of the first object.
  assert.equal(store.requests.delete, 6);
});

Deno.test("delete() goes on one by one where batches get no answer, and tries one later", async () => {
  let end = () => {};
  const hang = () =>
    new Promise<Response>((resolve) => end = () => resolve(new Response(null, { status: 500 })));
  const cut = () => new Response(new ReadableStream({ start: (body) => body.error("cut") }));
  for (const batch of [cut, hang]) {
    const time = new VirtualTime();
    let batches = 0;
    await using service = await serviceWith(() => (batches++, batch()));
    const options = { ...BUCKET, endpoint: service.endpoint, environment: time };
    await using store = await openS3Store(options);
    for (const key of ["a", "b", "c", "d"]) await store.put(key, bytes("x"));
    const deleting = store.delete(["a", "b"]);
    while (batches === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    if (batch === hang) await time.pass(6_000);
    assert.deepEqual(await deleting, []);
    end();
    const sent = batches;
    assert.deepEqual(await store.delete(["c"]), []);
    assert.equal(batches, sent, "none for a while");
    assert.deepEqual(await keys(store, ""), ["d"]);
  }
});

Deno.test("delete() stops after a batch that failed as a whole", async () => {
  const all = Array.from({ length: 1_500 }, (_, index) => `a/${index}`);
  await using server = httpServer(() => s3Failure(403, "AccessDenied"));
  await using store = await openS3Store({ ...BUCKET, endpoint: server.endpoint });
  const failed = await store.delete(all);
  assert.deepEqual(failed.map(({ key }) => key), all);
  for (const { error } of failed) assert.ok(error instanceof AccessDeniedError);
  // One batch, and one object, which may be allowed where batches are not.
  assert.equal(store.requests.delete, 2);
});

Deno.test("delete() one by one stops soon after the first failure", async () => {
  await using service = await fauxqsServer("feed-sync");
  await using proxy = httpProxy(service.endpoint, async ({ method, url }, forward) => {
    if (method === "POST") return s3Failure(501, "NotImplemented");
    if (method === "DELETE" && new URL(url).pathname.endsWith("/a/03")) {
      return s3Failure(403, "AccessDenied");
    }
    return await forward();
  });
  await using store = await openS3Store({ ...BUCKET, endpoint: proxy.endpoint });
  const all = Array.from({ length: 40 }, (_, index) => `a/${String(index).padStart(2, "0")}`);
  for (const key of all) await store.put(key, bytes("x"));
  const failed = (await store.delete(all)).map(({ key }) => key);
  assert.deepEqual(await keys(store, ""), failed);
  assert.deepEqual(failed.slice(0, 1), ["a/03"]);
  assert.deepEqual(failed.slice(-20), all.slice(-20));
});
