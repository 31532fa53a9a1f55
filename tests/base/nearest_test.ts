import assert from "node:assert/strict";
import { nearest, suggest } from "../../lib/base/nearest.ts";

const KEYS = ["poll", "plugins", "publishTimeout", "server", "store"];

Deno.test("nearest() finds what was misspelt, swapped, or written in another style", () => {
  assert.equal(nearest("pol", KEYS), "poll");
  assert.equal(nearest("stroe", KEYS), "store");
  assert.equal(nearest("publish_timeout", KEYS), "publishTimeout");
  assert.equal(nearest("PublishTimout", KEYS), "publishTimeout");
});

Deno.test("nearest() finds what was only begun", () => {
  assert.equal(nearest("pub", KEYS), "publishTimeout");
  assert.equal(nearest("secret_access", ["region", "secretAccessKey"]), "secretAccessKey");
});

Deno.test("nearest() finds nothing where nothing is alike", () => {
  assert.equal(nearest("bucket_name", KEYS), undefined);
});

Deno.test("suggest() names all there is when nothing is alike", () => {
  assert.equal(suggest("stor", KEYS), 'did you mean "store"?');
  assert.equal(suggest("bucket", ["a", "b"]), "there are a, b");
  assert.equal(suggest("bucket", ["a"]), 'there is only "a"');
});
