import assert from "node:assert/strict";
import { gzipSync } from "node:zlib";
import { s3Error } from "../../lib/stores/s3/errors.ts";
import {
  AccessDeniedError,
  ConfigError,
  CorruptObjectError,
  StoreUnavailableError,
} from "../../lib/errors.ts";
import { openS3Store } from "../../lib/stores/s3/s3_store.ts";
import type { ObjectStore } from "../../lib/stores/store.ts";
import { fauxqsServer } from "../servers/fauxqs.ts";
import {
  hangUpOnce,
  httpProxy,
  httpServer,
  s3Failure,
  stalledServer,
  unreachableEndpoint,
} from "../servers/http.ts";
import { VirtualTime } from "../virtual_time.ts";
import { bytes, list, plain } from "./contract.ts";

const SECRET = "very-secret";

function open(endpoint: string, environment?: VirtualTime): Promise<ObjectStore> {
  const keys = { accessKeyId: "test", secretAccessKey: SECRET };
  return openS3Store({ ...keys, endpoint, region: "us-east-1", bucket: "feed-sync", environment });
}

/** What every operation of a store rejects with. */
async function failures(store: ObjectStore): Promise<Error[]> {
  const errors = [
    await failureOf(store.put("a", bytes("x"))),
    await failureOf(store.get("a")),
    await failureOf(list(store, "")),
    ...(await store.delete(["a"])).map(({ error }) => error),
  ];
  assert.equal(errors.length, 4);
  for (const error of errors) assert.ok(!error.message.includes(SECRET));
  return errors;
}

async function failureOf(operation: Promise<unknown>): Promise<Error> {
  const outcome = await operation.then(() => undefined, (error) => error);
  assert.ok(outcome instanceof Error);
  return outcome;
}

Deno.test("a service that cannot be reached is unavailable, and the message says where and why", async () => {
  const endpoint = unreachableEndpoint();
  await using store = await open(endpoint);
  for (const error of await failures(store)) assert.ok(error instanceof StoreUnavailableError);
  await assert.rejects(store.put("tail/a", bytes("x")), {
    message: `Cannot reach the store s3://feed-sync at ${endpoint} while writing tail/a: ` +
      "tcp connect error: Connection refused",
  });
});

Deno.test("an object that is not compressed as it claims is damaged; one that is cut off is not", async () => {
  const whole = bytes("\x1f\x8b\x08\x00 and no more of gzip");
  let length = whole.length;
  await using server = httpServer(() => {
    const headers = { "content-encoding": "gzip", "content-length": String(length) };
    const body = new ReadableStream({
      start(controller) {
        controller.enqueue(whole);
        if (length === whole.length) controller.close();
        else controller.error(new Error("cut"));
      },
    });
    return new Response(body, { headers });
  });
  await using store = await open(server.endpoint);
  await assert.rejects(store.get("tail/a"), CorruptObjectError);
  length += 1;
  await assert.rejects(store.get("tail/a"), StoreUnavailableError);
});

Deno.test("an answer that decompresses to far more than it claims is read to a limit only", async () => {
  const bomb = gzipSync(new Uint8Array(256 * 1024 * 1024));
  await using server = httpServer(() =>
    new Response(bomb as BodyInit, {
      headers: { "content-encoding": "gzip", "content-length": String(bomb.length) },
    })
  );
  await using store = await open(server.endpoint);
  await assert.rejects(store.get("tail/a"), CorruptObjectError);
  await assert.rejects(list(store, ""), /the answer has more than 33554432 bytes/);
});

Deno.test("a service that takes a request and never answers is given up", async () => {
  const operations: ((store: ObjectStore) => Promise<unknown>)[] = [
    (store) => store.put("a", bytes("x")),
    (store) => store.get("a"),
    (store) => list(store, ""),
    (store) => store.delete(["a"]).then(([{ error }]) => Promise.reject(error)),
  ];
  for (const operation of operations) {
    await using server = stalledServer();
    const time = new VirtualTime();
    await using store = await open(server.endpoint, time);
    const failure = failureOf(operation(store));
    await server.stalled;
    const error = await time.run(failure);
    assert.ok(error instanceof StoreUnavailableError);
    assert.match(error.message, /no complete answer within \d+ s/);
  }
});

Deno.test("a request that its caller gives up is not sent again", async () => {
  let requests = 0;
  const arrived = Promise.withResolvers<void>(), ended = Promise.withResolvers<void>();
  await using server = httpServer(async ({ signal }) => {
    requests++;
    signal.addEventListener("abort", () => ended.resolve(), { once: true });
    arrived.resolve();
    await ended.promise;
    return new Response();
  });
  await using store = await open(server.endpoint);
  const reason = new Error("no longer wanted"), caller = new AbortController();
  const failure = failureOf(store.put("a", bytes("x"), { signal: caller.signal }));
  await arrived.promise;
  caller.abort(reason);
  assert.equal(await failure, reason);
  await ended.promise; // Its connection is closed.
  await assert.rejects(store.get("b", { signal: caller.signal }), reason);
  assert.equal(requests, 1);
});

Deno.test("a service that stops in the middle of an object is given up", async () => {
  await using server = stalledServer("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\nhalf");
  const time = new VirtualTime();
  await using store = await open(server.endpoint, time);
  const failure = failureOf(store.get("a"));
  await server.stalled;
  const error = await time.run(failure);
  assert.ok(error instanceof StoreUnavailableError);
  assert.match(error.message, /while reading a: no complete answer within \d+ s/);
});

Deno.test("a large object is given more time than a small one", async () => {
  const waited: number[] = [];
  for (const size of [1, 10_000_000]) {
    await using server = stalledServer();
    const time = new VirtualTime();
    await using store = await open(server.endpoint, time);
    const start = time.clock.now();
    const failure = failureOf(store.put("a", new Uint8Array(size)));
    await server.stalled;
    await time.run(failure);
    waited.push(time.clock.now() - start);
  }
  assert.ok(waited[1] > 10 * waited[0], `${waited}`);
});

Deno.test("a connection that breaks in the middle of an object is no object", async () => {
  const server = stalledServer("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\nhalf");
  await using store = await open(server.endpoint);
  const failure = failureOf(store.get("a"));
  await server.stalled;
  await server[Symbol.asyncDispose]();
  assert.ok(await failure instanceof StoreUnavailableError);
});

Deno.test("a signal ends an operation while the service is silent", async () => {
  await using server = stalledServer();
  await using store = await open(server.endpoint, new VirtualTime());
  const controller = new AbortController();
  const reading = store.get("a", controller);
  await server.stalled;
  const reason = new Error("enough");
  controller.abort(reason);
  await assert.rejects(reading, reason);
});

Deno.test("a failure that passes at once goes unnoticed, but each request is counted", async () => {
  await using service = await fauxqsServer("feed-sync");
  let failuresLeft = 2;
  await using proxy = httpProxy(service.endpoint, async (_request, forward) => {
    return failuresLeft-- > 0 ? s3Failure(500, "InternalError") : await forward();
  });
  await using store = await open(proxy.endpoint);
  await store.put("a", bytes("x"));
  assert.deepEqual(store.requests, { put: 3, get: 0, list: 0, delete: 0 });
});

Deno.test("a connection that the service closes is made again", async () => {
  await using server = hangUpOnce("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc");
  await using store = await open(server.endpoint);
  assert.deepEqual(plain(await store.get("a")), bytes("abc"));
  assert.equal(store.requests.get, 2);
});

Deno.test("a service that goes on failing is unavailable", async () => {
  await using server = httpServer(() => s3Failure(500, "InternalError", "We are sorry"));
  await using store = await open(server.endpoint);
  for (const error of await failures(store)) {
    assert.ok(error instanceof StoreUnavailableError);
    assert.match(error.message, /^Cannot use the store .*InternalError: We are sorry$/);
  }
});

Deno.test("a refusal says what to do", async () => {
  const advice: Record<string, RegExp> = {
    InvalidAccessKeyId: /check 's3.accessKeyId' and 's3.secretAccessKey'$/,
    SignatureDoesNotMatch: /check 's3.accessKeyId' and 's3.secretAccessKey'$/,
    AccessDenied: /check what these credentials are allowed to do, and whether they have expired$/,
    ExpiredToken: /renew the credentials$/,
    Anything: /check what these credentials are allowed to do, and whether they have expired$/,
  };
  for (const [code, expected] of Object.entries(advice)) {
    await using server = httpServer(() => s3Failure(code === "ExpiredToken" ? 400 : 403, code));
    await using store = await open(server.endpoint);
    for (const error of await failures(store)) {
      assert.ok(error instanceof AccessDeniedError, code);
      assert.match(error.message, /^Access denied to the store s3:\/\/feed-sync at http/);
      assert.ok(error.message.includes(`${code}: said the service`));
      assert.match(error.message, expected);
    }
  }
});

Deno.test("a wrong region or endpoint is a wrong configuration", async () => {
  const answers: [answer: () => Response, message: RegExp][] = [
    [
      () => s3Failure(400, "AuthorizationHeaderMalformed", "expecting 'eu-west-1'"),
      /eu-west-1'; check 's3.region'$/,
    ],
    [
      () => s3Failure(301, "PermanentRedirect", "no", { "x-amz-bucket-region": "eu-west-1" }),
      /the bucket is in eu-west-1; check 's3.region' and 's3.endpoint'$/,
    ],
    [
      () => new Response(null, { status: 301, headers: { location: "https://s3.example.com/" } }),
      /it redirects to https:\/\/s3.example.com\/; check 's3.endpoint'$/,
    ],
  ];
  for (const [answer, message] of answers) {
    await using server = httpServer(answer);
    await using store = await open(server.endpoint);
    for (const error of await failures(store)) {
      assert.ok(error instanceof ConfigError);
      assert.match(error.message, message);
    }
  }
});

Deno.test("a page of another server passes neither for a listing nor for success", async () => {
  await using server = httpServer(() => new Response("<html><body>Log in</body></html>"));
  await using store = await open(server.endpoint);
  assert.ok(await failureOf(store.put("a", bytes("x"))) instanceof StoreUnavailableError);
  assert.ok(await failureOf(list(store, "")) instanceof StoreUnavailableError);
});

Deno.test("a listing that ends before its end is an error", async () => {
  await using server = httpServer(() =>
    new Response(
      "<ListBucketResult><Name>feed-sync</Name><IsTruncated>true</IsTruncated></ListBucketResult>",
    )
  );
  await using store = await open(server.endpoint);
  assert.ok(await failureOf(list(store, "")) instanceof StoreUnavailableError);
});

Deno.test("the clock of the store is read from every answer, failures included", async () => {
  const time = new VirtualTime();
  const ahead = () => ({ date: new Date(time.clock.now() + 7_200_000).toUTCString() });
  await using server = httpServer(() => s3Failure(400, "Anything", "no", ahead()));
  await using store = await open(server.endpoint, time);
  assert.equal(store.clockOffset, undefined);
  await failureOf(store.put("a", bytes("x")));
  assert.equal(store.clockOffset, 7_200_000);
});

Deno.test("a clock that is far off is no refusal: the next request has the right time", () => {
  const skewed = Object.assign(new Error("The difference is too large"), {
    name: "RequestTimeTooSkewed",
    $metadata: { httpStatusCode: 403 },
  });
  const error = s3Error(
    skewed,
    { url: "s3://feeds", service: "http://localhost", wasThere: true },
    "listing tail/",
  );
  assert.ok(error instanceof StoreUnavailableError);
  assert.match(error.message, /set the clock of this machine/);
});
