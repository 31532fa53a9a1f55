import assert from "node:assert/strict";
import { commitsIn } from "../../../lib/wake/receive/s3_events.ts";

const STORE = "s3://bucket/pre fix";
const KEY = "tail/web-1_abcdefgh/0000000000000003.2.ijklmnop";

function eventOf(bucket: string, ...keys: string[]): string {
  return JSON.stringify({
    Records: keys.map((key) => ({
      eventName: "ObjectCreated:Put",
      s3: { bucket: { name: bucket }, object: { key, size: 123 } },
    })),
  });
}

Deno.test("commits of the store are found in an event, however their keys are encoded", () => {
  for (const key of [`pre+fix/${KEY}`, `pre%20fix/${KEY.replaceAll("/", "%2F")}`]) {
    const [{ key: found, first, last }] = commitsIn(eventOf("bucket", key), STORE)!;
    assert.deepEqual([found, first, last], [KEY, 2, 3]);
  }
});

Deno.test("an event that SNS has wrapped is found, too", () => {
  const Message = eventOf("bucket", `pre+fix/${KEY}`);
  const commits = commitsIn(JSON.stringify({ Type: "Notification", Message }), STORE)!;
  assert.deepEqual(commits.map(({ key }) => key), [KEY]);
});

Deno.test("what is of another store, or no commit, is passed over", () => {
  const segment = KEY.replace("tail", "segments");
  for (
    const [bucket, key] of [
      ["other", `pre+fix/${KEY}`],
      ["bucket", KEY],
      ["bucket", `pre+fix/${segment}`],
      ["bucket", `pre+fix/../${KEY}`],
      ["bucket", "%E0%A4%A"],
    ]
  ) assert.deepEqual(commitsIn(eventOf(bucket, key), STORE), []);
  const strange = { Records: [null, 3, {}, { s3: { object: null } }] };
  assert.deepEqual(commitsIn(JSON.stringify(strange), STORE), []);
});

Deno.test("what is no event of a bucket is told", () => {
  assert.equal(commitsIn("no JSON", STORE), undefined);
  for (const event of [null, 3, "text", [], {}, { Message: "hello" }, { Message: "{}" }]) {
    assert.equal(commitsIn(JSON.stringify(event), STORE), undefined);
  }
});
