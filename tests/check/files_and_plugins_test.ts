import assert from "node:assert/strict";
import { ConfigError } from "../../lib/errors.ts";
import { workspace } from "../cli/feedsync.ts";
import { findingsWith } from "./findings.ts";

Deno.test("feed files whose names say no URL are told, and nothing is published", async () => {
  await using place = await workspace({
    "https%3A%2F%2Fexample.com%2Fa.feed": "<rss/>",
    "news.feed": "<rss/>",
    "news.feed.json": '{"url": "https://example.com/news"}',
    "b.feed": "<rss/>",
    "c.feed": "<rss/>",
    "c.feed.json": "{",
  });
  const files = { directory: place.path };
  const found = (await findingsWith({ store: `file:${place.path}/none`, files }))
    .filter(({ check }) => check === "files").map(({ level, what }) => `${level}: ${what}`);
  assert.equal(found[0], `ok: ${place.path} can be watched`);
  assert.equal(found[1], `ok: 2 feed files in ${place.path} can be published`);
  assert.match(
    found[2],
    /^warning: 2 feed files cannot be published: .*'b\.feed': its name is not/,
  );
  assert.match(found[2], /'c\.feed': the 'c\.feed\.json' beside it cannot be used/);
  const absent = { directory: `${place.path}/absent` };
  const [missing] = (await findingsWith({ store: `file:${place.path}/none`, files: absent }))
    .filter(({ check }) => check === "files");
  assert.equal(missing.what, `There is no feed directory ${place.path}/absent`);
});

Deno.test("plugins are loaded with their options, and not set up", async () => {
  await using place = await workspace({
    "good.ts": "export default { name: 'good', onUpdate() {}, " +
      "setup() { Deno.writeTextFileSync(new URL('set-up', import.meta.url), ''); } };",
    "broken.ts": "throw new Error('no');",
  });
  const plugins = [
    `${place.path}/good.ts`,
    `${place.path}/broken.ts`,
    ["mirror", { direktory: "x" }] as const,
    "mirrow",
  ];
  const found = (await findingsWith({ store: `file:${place.path}/none`, plugins }))
    .filter(({ check }) => check === "plugins");
  assert.deepEqual(found.map(({ level }) => level), ["ok", "error", "error", "error"]);
  const [, broken, options, unknown] = found;
  assert.ok(found.slice(1).every(({ error }) => error instanceof ConfigError));
  assert.match(broken.what, /^Cannot use plugin '.*broken\.ts': no$/);
  assert.match(options.what, /^Cannot use plugin 'mirror': its options are wrong: .*direktory/);
  assert.match(unknown.what, /there is no built-in plugin of that name, did you mean "mirror"\?/);
  await assert.rejects(Deno.stat(`${place.path}/set-up`), Deno.errors.NotFound);
});
