import assert from "node:assert/strict";
import { ConfigError, StoreUnavailableError } from "../../../lib/errors.ts";
import { openS3Store } from "../../../lib/stores/s3/s3_store.ts";
import type { ObjectStore } from "../../../lib/stores/store.ts";
import { captureLog } from "../../encryption/keys.ts";
import { s3Failure } from "../../servers/http.ts";
import { listingServer } from "../../servers/s3_listings.ts";
import { keys } from "../contract.ts";

function open(endpoint: string): Promise<ObjectStore> {
  const account = { accessKeyId: "test", secretAccessKey: "test", region: "us-east-1" };
  return openS3Store({ ...account, endpoint, bucket: "feed-sync", prefix: "prod/" });
}

/** Keys of the store, `s/01` to `s/<count>`. */
function stored(count: number): string[] {
  return Array.from({ length: count }, (_, i) => `s/${String(i + 1).padStart(2, "0")}`);
}

const ROTATED = [...stored(9).slice(4), ...stored(9).slice(0, 4)].map((key) => `prod/${key}`);

Deno.test("where keys are seen not to be sorted, start-after is not used, and it is said once", async () => {
  using log = captureLog();
  await using server = listingServer({ keys: ROTATED, pageSize: 2 });
  await using store = await open(server.endpoint);
  for (let listing = 0; listing < 3; listing++) {
    assert.deepEqual(await keys(store, "s/"), stored(9));
    await keys(store, "s/", { startAfter: "s/03" });
  }
  assert.ok(server.queries.every((query) => !query.has("start-after")));
  assert.deepEqual(log.lines.filter((line) => line.includes("order")), [
    "info: The store s3://feed-sync/prod does not list its keys in order: from now on each " +
    "listing covers a whole stream, which takes more requests but loses no updates",
  ]);
});

Deno.test("a listing with start-after that turns out not to be sorted is made again without", async () => {
  await using server = listingServer({ keys: ROTATED, pageSize: 2 });
  await using store = await open(server.endpoint);
  const listed = new Set(await keys(store, "s/", { startAfter: "s/05" }));
  for (const key of stored(9).slice(5)) assert.ok(listed.has(key), `${key} is left out`);
  await keys(store, "s/", { startAfter: "s/05" });
  assert.equal(server.queries.filter((query) => query.has("start-after")).length, 3);
});

Deno.test("where start-after is refused, listings do without, and it is said once", async () => {
  const refusals = [
    s3Failure(400, "InvalidArgument"),
    s3Failure(400, "InvalidRequest", "StartAfter is not supported"),
    s3Failure(501, "NotImplemented"),
    s3Failure(405, "MethodNotAllowed"),
    s3Failure(403, "AccessDenied"),
    s3Failure(422, "Unprocessable"),
    s3Failure(500, "InternalError"),
    new Response("<html>Not found</html>", { status: 404 }),
    new Response(null, { status: 414 }),
    new Response("<html><title>Blocked</title></html>", { status: 403 }),
  ];
  for (const refusal of refusals) {
    using log = captureLog();
    await using server = listingServer({
      keys: stored(9).map((key) => `prod/${key}`),
      pageSize: 4,
      answer: (query) => query.has("start-after") ? refusal.clone() : undefined,
    });
    await using store = await open(server.endpoint);
    for (let listing = 0; listing < 2; listing++) {
      const listed = new Set(await keys(store, "s/", { startAfter: "s/05" }));
      for (const key of stored(9).slice(5)) assert.ok(listed.has(key), `${key} is left out`);
    }
    const refused = server.queries.filter((query) => query.has("start-after"));
    assert.ok(refused.length >= 1 && refused.length <= 3, "the SDK may repeat the first one");
    assert.equal(log.lines.filter((line) => line.includes("start-after")).length, 1);
  }
});

Deno.test("what is refused with start-after and without is told as it is, and nothing is remembered", async () => {
  let isWrong = true;
  await using server = listingServer({
    keys: stored(9).map((key) => `prod/${key}`),
    answer: () => isWrong ? s3Failure(400, "InvalidBucketName") : undefined,
  });
  await using store = await open(server.endpoint);
  await assert.rejects(keys(store, "s/", { startAfter: "s/05" }), ConfigError);
  isWrong = false;
  assert.deepEqual(await keys(store, "s/", { startAfter: "s/05" }), stored(9).slice(5));
});

Deno.test("keys outside of the prefix are none of ours, whatever a service lists", async () => {
  const ours = stored(3).map((key) => `prod/${key}`);
  const others = ["other/s/01", "prod", "prod2/s/01", "p", "prod/t/01"];
  await using server = listingServer({ keys: [...others, ...ours], ignoresPrefix: true });
  await using store = await open(server.endpoint);
  assert.deepEqual(await keys(store, "s/"), stored(3));
});

Deno.test("pages that do not lead on end a listing with an error that says so, after few requests", async () => {
  const all = { keys: stored(9).map((key) => `prod/${key}`), pageSize: 3 };
  let tokens = 0;
  const cases = [
    { habits: { begin: () => 0 }, problem: /the same page came again/ },
    {
      habits: { begin: () => 0, token: () => `t${tokens++}` },
      problem: /the same page came again/,
    },
    { habits: { token: () => undefined }, problem: /cut short without a continuation token/ },
    {
      habits: { token: () => "3", begin: ({ size }: URLSearchParams) => size && tokens++ % 6 },
      problem: /led to the same token again/,
    },
    {
      habits: { pageSize: 1, token: (index: number) => String(index === 3 ? 1 : index) },
      problem: /led to the same token again/,
    },
  ];
  for (const { habits, problem } of cases) {
    await using server = listingServer({ ...all, ...habits });
    await using store = await open(server.endpoint);
    await assert.rejects(keys(store, "s/"), (error) => {
      assert.ok(error instanceof StoreUnavailableError);
      assert.match(
        error.message,
        /^Cannot use the store s3:\/\/feed-sync\/prod while listing s\/: /,
      );
      assert.match(error.message, problem);
      assert.doesNotMatch(error.message, /endpoint/);
      return true;
    });
    assert.ok(server.queries.length <= 3, `${server.queries.length} requests`);
  }
});

Deno.test("empty pages lead on, but not for ever", async () => {
  const xml = (next: string) =>
    new Response(
      "<ListBucketResult><IsTruncated>true</IsTruncated>" +
        `<NextContinuationToken>${next}</NextContinuationToken></ListBucketResult>`,
    );
  const all = stored(3).map((key) => `prod/${key}`);
  let empty = 150, answered = 0;
  await using server = listingServer({
    keys: all,
    answer: () => answered++ < empty ? xml(`0${answered}`) : undefined,
    begin: () => 0,
  });
  await using store = await open(server.endpoint);
  assert.deepEqual(await keys(store, "s/"), stored(3));
  [empty, answered] = [Infinity, 0];
  await assert.rejects(keys(store, "s/"), /more than 1000 pages were empty/);
  assert.ok(answered < 1010);
  [empty, answered] = [1500, 0]; // A listing that long does not fail for ever.
  assert.deepEqual(await keys(store, "s/"), stored(3));
});

Deno.test("a bucket that is said to be missing is never taken for an empty one", async () => {
  let isMissing = true;
  await using server = listingServer({
    keys: stored(3).map((key) => `prod/${key}`),
    answer: () => isMissing ? s3Failure(404, "NoSuchBucket") : undefined,
  });
  await using store = await open(server.endpoint);
  await assert.rejects(keys(store, "s/"), ConfigError);
  isMissing = false;
  assert.deepEqual(await keys(store, "s/"), stored(3));
  isMissing = true;
  await assert.rejects(keys(store, "s/"), StoreUnavailableError);
  await assert.rejects(store.get("s/01"), StoreUnavailableError);
});
