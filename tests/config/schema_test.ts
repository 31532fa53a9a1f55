import assert from "node:assert/strict";
import { DEFAULTS } from "../../lib/config/core.ts";
import { configJsonSchema, SCALAR_KEYS } from "../../lib/config/schema.ts";

const COMMITTED = new URL("../../config.schema.json", import.meta.url);

Deno.test("config.schema.json is what the rules say", async () => {
  assert.equal(
    await Deno.readTextFile(COMMITTED),
    JSON.stringify(configJsonSchema(), null, 2) + "\n",
    "config.schema.json is out of date: run `deno task schema`",
  );
});

Deno.test("the schema for editors knows keys, defaults, and refuses unknown keys", () => {
  const schema = configJsonSchema() as {
    properties: Record<string, { default?: unknown; description: string }>;
    additionalProperties: boolean;
  };
  assert.equal(schema.additionalProperties, false);
  assert.ok("$schema" in schema.properties);
  for (const [key, value] of Object.entries(DEFAULTS)) {
    if (key !== "state") assert.deepEqual(schema.properties[key].default, value, key);
  }
  for (const [key, { description }] of Object.entries(schema.properties)) {
    assert.ok(description, `${key} has no description`);
  }
});

Deno.test("every key that is no object or array can be set by a variable", () => {
  const paths = SCALAR_KEYS.map(({ path }) => path.join("."));
  assert.ok(
    ["enabled", "store", "s3.endpoint", "files.settle", "logLevel"].every((key) =>
      paths.includes(key)
    ),
  );
  assert.ok(!paths.includes("plugins") && !paths.includes("$schema"));
});
