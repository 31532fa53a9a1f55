/** What a service may leave out of a listing, or write otherwise, besides the keys. */
import assert from "node:assert/strict";
import { BucketLog } from "../../../lib/log/bucket_log.ts";
import { cleanUp, problemsOf } from "../../../lib/retention/clean_up.ts";
import { openS3Store } from "../../../lib/stores/s3/s3_store.ts";
import type { ObjectInfo } from "../../../lib/stores/store.ts";
import { httpServer, type Server } from "../../servers/http.ts";
import { VirtualTime } from "../../virtual_time.ts";
import { list } from "../contract.ts";
import { warnings } from "../warnings.ts";

const BUCKET = {
  region: "us-east-1",
  accessKeyId: "test",
  secretAccessKey: "test",
  bucket: "feed-sync",
};
const HOUR = 60 * 60 * 1000;
const NOON = Date.UTC(2026, 0, 1, 12);
const STREAM = "tail/web-1_abcdefgh";

function page(contents: string, head = "<IsTruncated>false</IsTruncated>"): string {
  return `<ListBucketResult><Name>feed-sync</Name>${head}${contents}</ListBucketResult>`;
}

function serviceWith(xml: string, headers: Record<string, string> = {}): Server {
  return httpServer(() => new Response(xml, { headers }));
}

async function listed(xml: string): Promise<ObjectInfo[]> {
  await using server = serviceWith(xml);
  await using store = await openS3Store({ ...BUCKET, endpoint: server.endpoint });
  return await list(store, "");
}

Deno.test("LastModified is understood where its form leaves no doubt, and stops no listing", async () => {
  const forms: Record<string, number | undefined> = {
    "<LastModified>2026-01-01T12:00:00.000Z</LastModified>": NOON,
    "<LastModified> 2026-01-01T12:00:00Z </LastModified>": NOON,
    "<LastModified>2026-01-01T12:00:00.000000001Z</LastModified>": NOON,
    "<LastModified>2026-01-01T13:00:00+01:00</LastModified>": NOON,
    "<LastModified>Thu, 01 Jan 2026 12:00:00 GMT</LastModified>": NOON,
    "<LastModified>2026-01-01 12:00:00</LastModified>": undefined,
    "<LastModified>2026-01-01T12:00:00</LastModified>": undefined,
    "<LastModified>1767268800</LastModified>": undefined,
    "<LastModified>0001-01-01T00:00:00Z</LastModified>": undefined,
    "<LastModified>1970-01-01T00:00:00Z</LastModified>": undefined,
    "<LastModified>2026-13-41T12:00:00Z</LastModified>": undefined,
    "<LastModified></LastModified>": undefined,
    "<LastModified />": undefined,
    "<LastModified><![CDATA[2026-01-01T12:00:00Z]]></LastModified>": NOON,
    "<LastModified kind='time'>2026-01-01T12:00:00Z</LastModified>": NOON,
    "<LastModified><v>2026-01-01T12:00:00Z</v></LastModified>": undefined,
    "": undefined,
  };
  for (const [form, lastModified] of Object.entries(forms)) {
    const [object] = await listed(page(`<Contents><Key>a</Key>${form}<Size>5</Size></Contents>`));
    assert.deepEqual(object, { key: "a", size: 5, lastModified }, form);
  }
});

Deno.test("nothing else but keys is needed to list", async () => {
  const sizes = ["", "<Size/>", "<Size>many</Size>", "<Size>-1</Size>"];
  for (const size of sizes) {
    const [object] = await listed(page(`<Contents><Key>a</Key>${size}</Contents>`));
    assert.deepEqual(object, { key: "a", size: 0, lastModified: undefined }, size);
  }
  const odd = "<ETag/><Owner/><StorageClass>ODD</StorageClass><RestoreStatus><RestoreExpiryDate>" +
    "never</RestoreExpiryDate></RestoreStatus>";
  const head = "<IsTruncated>False</IsTruncated><KeyCount>x</KeyCount><MaxKeys/>";
  const objects = await listed(page(`<Contents/><Contents><Key>a</Key>${odd}</Contents>`, head));
  assert.deepEqual(objects.map(({ key }) => key), ["a"]);
});

Deno.test("a listing is read whatever name space its elements are in", async () => {
  const xml = page("<Contents><Key>a</Key></Contents>").replace(/<(\/?)(?=\w)/g, "<$1s3-v1:");
  assert.deepEqual((await listed(xml)).map(({ key }) => key), ["a"]);
});

Deno.test("a listing that names neither its bucket nor objects, nor says that it is whole, is none", async () => {
  for (const inner of ["", "<Other><Contents/></Other>", "<Prefix></Prefix>"]) {
    const xml = `<ListBucketResult>${inner}</ListBucketResult>`;
    await assert.rejects(listed(xml), /not that of an S3 service/);
  }
});

Deno.test("there is another page where a token leads to one, however that is said", async () => {
  const token = "<NextContinuationToken>2</NextContinuationToken>";
  const forms = ["true", "True", "1", "yes", " true ", "false", "0", "", undefined];
  for (const form of forms) {
    const head = form === undefined ? token : `<IsTruncated>${form}</IsTruncated>${token}`;
    await using server = httpServer(({ url }) => {
      const isFirst = !new URL(url).searchParams.has("continuation-token");
      const key = `<Contents><Key>${isFirst ? "a" : "b"}</Key></Contents>`;
      return new Response(isFirst ? page(key, head) : page(key));
    });
    await using store = await openS3Store({ ...BUCKET, endpoint: server.endpoint });
    assert.deepEqual((await list(store, "")).map(({ key }) => key), ["a", "b"], String(form));
  }
  const end = "<IsTruncated>false</IsTruncated><NextContinuationToken/>";
  assert.equal((await listed(page("<Contents><Key>a</Key></Contents>", end))).length, 1);
});

Deno.test("an object that is called a page on its way is read; a page is none", async () => {
  const html = { "content-type": "text/html; charset=utf-8", "etag": '"1"' };
  for (const body of ["(\xb5/\xfd and so on", "eyJhbGciOiJkaXIifQ", '{"feedsync":1}', "x"]) {
    await using server = serviceWith(body, html);
    await using store = await openS3Store({ ...BUCKET, endpoint: server.endpoint });
    assert.equal(new TextDecoder().decode(await store.get("tail/a")), body);
  }
  await using server = serviceWith(" \n<!doctype html><title>Log in</title>secret", html);
  await using store = await openS3Store({ ...BUCKET, endpoint: server.endpoint });
  await assert.rejects(store.get("tail/a"), /not that of an S3 service \("Log in"\)/);
});

Deno.test("no message holds more of a foreign answer than the title of a page", async () => {
  const secret = "TOPSECRET";
  const answers = [
    () => new Response(`{"authorization":"${secret}"}`, { status: 429 }),
    () => new Response(secret, { status: 403 }),
    () => new Response(`<html><title>Log in</title>${secret}</html>`, { status: 403 }),
    () =>
      new Response(null, { status: 302, headers: { location: `https://a.example/?${secret}` } }),
    () => new Response(null, { status: 302, headers: { location: `/login?token=${secret}` } }),
  ];
  for (const answer of answers) {
    await using server = httpServer(answer);
    await using store = await openS3Store({ ...BUCKET, endpoint: server.endpoint });
    await assert.rejects(list(store, ""), (error) => !String(error).includes(secret));
  }
});

Deno.test("a listing that does not tell whether it is whole is so unless it is a full page", async () => {
  const contents = (count: number) => "<Contents><Key>a</Key></Contents>".repeat(count);
  assert.equal((await listed(page(contents(999), ""))).length, 999);
  await assert.rejects(listed(page(contents(1_000), "")), /cut short without a continuation token/);
  await assert.rejects(
    listed("<NoListing><Name>feed-sync</Name></NoListing>"),
    /not that of an S3 service/,
  );
});

Deno.test("keys are found whether they are encoded as the answer says or not", async () => {
  const prefix = "a+b%/";
  const forms = ["a%2Bb%25/tail/x", "a+b%/tail/x", "a%2Bb%25%2Ftail%2Fx"];
  for (const head of ["<EncodingType>url</EncodingType>", ""]) {
    for (const key of forms) {
      const xml = page(
        `<IsTruncated>false</IsTruncated><Contents><Key>${key}</Key></Contents>`,
        head,
      );
      await using server = serviceWith(xml);
      await using store = await openS3Store({ ...BUCKET, prefix, endpoint: server.endpoint });
      assert.deepEqual((await list(store, "tail/")).map(({ key }) => key), ["tail/x"], key);
    }
  }
});

Deno.test("headers that are not needed stop no request, whatever is in them", async () => {
  const odd = {
    "last-modified": "yesterday",
    "expires": "never",
    "x-amz-missing-meta": "some",
    "x-amz-object-lock-retain-until-date": "later",
    "x-amz-mp-parts-count": "?",
    "x-amz-object-size": "?",
    "date": "now",
    "etag": '"1"',
  };
  await using server = serviceWith("body", odd);
  await using store = await openS3Store({ ...BUCKET, endpoint: server.endpoint });
  assert.equal(new TextDecoder().decode(await store.get("tail/a")), "body");
  await store.put("tail/a", new Uint8Array(1));
  assert.equal(store.clockOffset, undefined);
});

Deno.test("the clock is read neither from a date that is none nor from what a cache repeats", async () => {
  const time = new VirtualTime();
  const now = new Date(time.clock.now() + 7_200_000).toUTCString();
  const headers: Record<string, string>[] = [
    { date: "1" },
    { date: "2026-01-01" },
    { date: "Thu, 01 Jan 1970 00:00:00 GMT" },
    { date: now, age: "3600" },
  ];
  for (const header of headers) {
    await using server = serviceWith("body", header);
    await using store = await openS3Store({
      ...BUCKET,
      endpoint: server.endpoint,
      environment: time,
    });
    await store.get("tail/a");
    assert.equal(store.clockOffset, undefined, JSON.stringify(header));
  }
});

Deno.test("requests are signed by no clock but that of the service", async () => {
  const cached = { date: "Thu, 01 Jan 2026 00:00:00 GMT", age: "60" };
  const headers: Record<string, string>[] = [{ date: "1" }, cached];
  for (const header of headers) {
    const signed: string[] = [];
    await using server = httpServer(({ headers }) => {
      signed.push(headers.get("x-amz-date")!.slice(0, 8));
      return new Response("body", { headers: header });
    });
    await using store = await openS3Store({ ...BUCKET, endpoint: server.endpoint });
    for (let round = 0; round < 2; round++) await store.get("tail/a");
    assert.equal(signed[1], signed[0]);
  }
});

Deno.test("a write needs no ETag where the answer is that of an S3 service nevertheless", async () => {
  let headers: Record<string, string> = { "x-amz-request-id": "tx0001" };
  await using server = httpServer(() => new Response(null, { headers }));
  await using store = await openS3Store({ ...BUCKET, endpoint: server.endpoint });
  await store.put("tail/a", new Uint8Array(1));
  headers = {};
  await assert.rejects(store.put("tail/a", new Uint8Array(1)), /not that of an S3 service/);
});

/** Commits 1 to 3 of a stream, as old as told, and the keys that a cleanup of a day would delete. */
async function cleaned(
  hours: readonly (number | undefined)[],
  headers: Record<string, string>,
  time: VirtualTime,
) {
  const contents = hours.map((hours, index) => {
    const key = `${STREAM}/${String(index + 1).padStart(16, "0")}.1.ijklmnop`;
    const date = hours === undefined ? "" : new Date(time.clock.now() - hours * HOUR).toISOString();
    return `<Contents><Key>${key}</Key><LastModified>${date}</LastModified></Contents>`;
  });
  await using server = serviceWith(page(contents.join("")), headers);
  await using store = await openS3Store({
    ...BUCKET,
    endpoint: server.endpoint,
    environment: time,
  });
  const log = new BucketLog(store, { environment: time });
  const options = { maxAge: 24 * HOUR, dryRun: true, problems: problemsOf(time) };
  await cleanUp(log, options);
  return await cleanUp(log, options);
}

Deno.test("cleanup stops at what has no date, and says once why", async () => {
  using log = warnings();
  const time = new VirtualTime();
  const date = { date: new Date(time.clock.now()).toUTCString() };
  const whole = await cleaned([100, 100, 100], date, time);
  assert.deepEqual([whole.deleted, whole.undated, log.lines.length], [3, 0, 0]);
  const report = await cleaned([100, undefined, 100], date, time);
  assert.deepEqual([report.deleted, report.kept, report.undated], [1, 2, 1]);
  assert.equal(log.lines.length, 1);
  assert.match(
    log.lines[0],
    /Cannot clean up 1 objects in s3:\/\/feed-sync, .*LastModified.*lifecycle/,
  );
});

Deno.test("cleanup deletes nothing by the local clock where the store does not tell its own", async () => {
  const time = new VirtualTime();
  const unknown = { date: "unknown" };
  assert.equal((await cleaned([50, 49, 48], unknown, time)).deleted, 0);
  // By the newest object, which was written at some time before now.
  assert.equal((await cleaned([50, 49, 24], unknown, time)).deleted, 2);
});
