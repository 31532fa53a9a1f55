import assert from "node:assert/strict";
import { loadConfig } from "../../lib/config/load.ts";
import { merge } from "../../lib/config/merge.ts";
import { ConfigError } from "../../lib/errors.ts";
import { metadataOf } from "../../lib/cli/publish/read_update.ts";
import { parseArguments } from "../../lib/cli/args.ts";
import { workspace } from "../cli/feedsync.ts";
import { nestedText } from "./values.ts";

/** Loads a configuration file with this text. */
async function load(text: string, name = "feedsync.json") {
  await using home = await workspace({ [name]: text });
  return await loadConfig({ cwd: home.path, env: {} });
}

Deno.test("a configuration that is nested too deeply is an error that names the file", async () => {
  const deep = nestedText("[", "]", 1_000_000);
  for (const text of [deep, `{"plugins":[["log",{"a":${deep}}]]}`, `{"a":`.repeat(100_000)]) {
    await assert.rejects(load(text), (error) => {
      assert.ok(error instanceof ConfigError, String(error));
      assert.match(error.message, /feedsync\.json.*: it is nested too deeply$/);
      return true;
    });
  }
});

Deno.test("keys of prototypes are unknown keys", async () => {
  const texts = [
    '{"__proto__":{"store":"file:evil"}}',
    '{"s3":{"__proto__":{"endpoint":"https://evil"}}}',
    '{"constructor":{"prototype":{"evil":1}}}',
    '{"toString":1}',
  ];
  for (const text of texts) {
    await assert.rejects(load(text), (error) => {
      assert.ok(error instanceof ConfigError, String(error));
      assert.match(error.message, /unknown key/);
      return true;
    });
  }
  assert.equal("evil" in {}, false);
});

Deno.test("putting configurations over each other changes no prototype", () => {
  const over = JSON.parse('{"__proto__":{"evil":1},"s3":{"__proto__":{"evil":1}}}');
  for (const config of [merge({}, over), merge(over, {}), merge(over, over)]) {
    assert.equal(Object.getPrototypeOf(config), Object.prototype);
    assert.equal("evil" in { ...config }, false);
  }
  assert.equal("evil" in {}, false);
});

Deno.test("metadata may be called as prototypes are", () => {
  const args = parseArguments(["u", "--metadata", "__proto__=x"], {
    operands: [{ name: "URL" }],
    flags: { metadata: { value: "K=V", repeated: true, help: "" } },
  });
  assert.equal(JSON.stringify(metadataOf(args)), '{"__proto__":"x"}');
});
