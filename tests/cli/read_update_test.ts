import assert from "node:assert/strict";
import { join } from "node:path";
import { parseArguments } from "../../lib/cli/args.ts";
import { publish } from "../../lib/cli/publish/command.ts";
import { metadataOf, readContent, sourceOf } from "../../lib/cli/publish/read_update.ts";
import { workspace } from "./feedsync.ts";

const URL = "https://example.com/feed.xml";
const signal = new AbortController().signal;

function source(args: string[], stdinIsTerminal = false) {
  return sourceOf(parseArguments([URL, ...args], publish), { stdinIsTerminal });
}

function metadata(...args: string[]) {
  return metadataOf(
    parseArguments([URL, ...args.flatMap((text) => ["--metadata", text])], publish),
  );
}

Deno.test("content comes from a file, standard input, or nowhere", () => {
  assert.deepEqual(source(["feed.xml"]), { file: "feed.xml" });
  assert.equal(source(["-"], true), "standard input");
  assert.equal(source([]), "standard input");
  assert.equal(source(["--remove"]), "removed");
});

Deno.test("nobody is left waiting at a terminal for content that was forgotten", () => {
  assert.throws(() => source([], true), { name: "UsageError", message: /content is missing/ });
});

Deno.test("--remove allows no content", () => {
  assert.throws(() => source(["x", "--remove"]), { name: "UsageError" });
  assert.throws(() => source(["--json-content", "--remove"]), { name: "UsageError" });
});

Deno.test("metadata values are text, all after the first =", () => {
  assert.deepEqual(metadata("status=200", "note=a=b", "empty=", "__proto__=x"), {
    status: "200",
    note: "a=b",
    empty: "",
    ["__proto__"]: "x",
  });
});

Deno.test("metadata without a key, or with one key twice, is refused", () => {
  for (const wrong of ["status", "=200"]) {
    assert.throws(() => metadata(wrong), { name: "UsageError", message: /KEY=VALUE.*current/ });
  }
  assert.throws(() => metadata("a=1", "a=2"), { name: "UsageError", message: /"a" twice/ });
});

Deno.test("what is too large is not read to its end", async () => {
  await using directory = await workspace({});
  const file = join(directory.path, "large");
  await Deno.writeTextFile(file, "");
  await Deno.truncate(file, 2 ** 40);
  await assert.rejects(readContent({ file }, { json: false, signal }), {
    name: "InvalidUpdateError",
    message: /large: it has more than 16777216 bytes$/,
  });
});

Deno.test("text keeps every byte, and what is not UTF-8 stays bytes", async () => {
  await using directory = await workspace({
    text: "\uFEFF<rss>é</rss>\r\n",
    bytes: new Uint8Array([0x3c, 0xe9, 0x3e]),
  });
  const read = (name: string) =>
    readContent({ file: join(directory.path, name) }, { json: false, signal });
  assert.deepEqual(await read("text"), { content: "\uFEFF<rss>é</rss>\r\n" });
  assert.deepEqual(await read("bytes"), { content: new Uint8Array([0x3c, 0xe9, 0x3e]) });
});

Deno.test("JSON content is published as the value, and must be JSON", async () => {
  await using directory = await workspace({ good: '{"items":[1,null]}', bad: "{items}" });
  const read = (name: string) =>
    readContent({ file: join(directory.path, name) }, { json: true, signal });
  assert.deepEqual(await read("good"), { content: { items: [1, null] } });
  await assert.rejects(read("bad"), { name: "InvalidUpdateError", message: /bad as JSON/ });
});

Deno.test("a file that is empty, missing or a directory is not published", async () => {
  await using directory = await workspace({ empty: "" });
  for (
    const file of [join(directory.path, "empty"), join(directory.path, "missing"), directory.path]
  ) {
    await assert.rejects(
      readContent({ file }, { json: false, signal }),
      (error: Error) => error.name === "InvalidUpdateError" && error.message.includes(file),
    );
  }
});
