import assert from "node:assert/strict";
import fc from "fast-check";
import { parseFeedList } from "../lib/feed_list.ts";

const A = "https://example.com/a", B = "https://example.com/b", C = "https://example.com/c";

function opml(body: string, declaration = '<?xml version="1.0"?>\n'): string {
  return `${declaration}<opml version="2.0">\n<head/>\n<body>${body}</body>\n</opml>\n`;
}

function utf16(text: string, { bigEndian = false, mark = true } = {}): Uint8Array {
  const marked = mark ? `\ufeff${text}` : text;
  const bytes = new Uint8Array(marked.length * 2), view = new DataView(bytes.buffer);
  for (let i = 0; i < marked.length; i++) view.setUint16(2 * i, marked.charCodeAt(i), !bigEndian);
  return bytes;
}

function latin1(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

Deno.test("a list of lines has one URL a line, with blank lines, comments and any line ends", async () => {
  const list = `\ufeff# news\n\n  ${A}  \r\n#${C}\r${B}#top\n${A}\nnot a URL`;
  assert.deepEqual(await parseFeedList(list), [A, `${B}#top`, "not a URL"]);
  assert.deepEqual(await parseFeedList(new TextEncoder().encode(list)), [
    A,
    `${B}#top`,
    "not a URL",
  ]);
  assert.deepEqual(await parseFeedList("\n# nothing\n"), []);
});

Deno.test("OPML is read at any depth, with names in any case and each URL once", async () => {
  const list = opml(
    `<outline text="News"><outline text="Deeper"><outline type="rss" xmlUrl="${A}"/></outline>` +
      `<OUTLINE xmlurl='${B}' htmlUrl="https://example.com/"/></outline>` +
      `<Outline XMLURL="\n ${C} "/><outline xmlUrl="${A}"/><outline xmlUrl=""/><outline text="-"/>` +
      `<!-- <outline xmlUrl="https://example.com/old"/> --><feed xmlUrl="https://example.com/no"/>`,
  );
  assert.deepEqual(await parseFeedList(list), [A, B, C]);
  assert.deepEqual(await parseFeedList(`\n\n${list}`), [A, B, C]);
  assert.deepEqual(await parseFeedList(list.replaceAll("opml", "OPML")), [A, B, C]);
});

Deno.test("outlines are read 10,000 deep", async () => {
  const deep = "<outline>".repeat(10_000) + `<outline xmlUrl="${A}"/>` +
    "</outline>".repeat(10_000);
  assert.deepEqual(await parseFeedList(opml(deep)), [A]);
});

Deno.test("entities are decoded, and ampersands that nobody escaped are read as they are", async () => {
  const escaped = opml(
    `<outline text="A &lt; &#66; &amp;lt;" xmlUrl="${A}?x&amp;y=&#x7a;&quot;"/>`,
  );
  assert.deepEqual(await parseFeedList(escaped), [`${A}?x&y=z"`]);
  const bare = opml(`<outline text="R & B&nbsp;" xmlUrl="${A}?x=1&copy=2&lt=3&#x=4&AMP;"/>`);
  assert.deepEqual(await parseFeedList(bare), [`${A}?x=1&copy=2&lt=3&#x=4&AMP;`]);
});

Deno.test("entities that a document declares are not expanded", async () => {
  const bomb = Array.from({ length: 20 }, (_, i) => `<!ENTITY e${i + 1} "&e${i};&e${i};">`).join(
    "",
  );
  const list =
    `<!DOCTYPE opml [<!ENTITY e0 "lol"><!ENTITY f SYSTEM "file:///etc/passwd">${bomb}]>` +
    opml(`<outline xmlUrl="${A}?&e20;"/><outline xmlUrl="&f;"/>`, "");
  assert.deepEqual(await parseFeedList(list), [`${A}?&e20;`, "&f;"]);
});

Deno.test("OPML is read in the encoding that it names", async () => {
  const list = (encoding: string) =>
    opml(`<outline text="ä" xmlUrl="${A}?é"/>`, `<?xml version="1.0" encoding="${encoding}"?>`);
  const bytes = [
    new TextEncoder().encode(list("UTF-8")),
    new TextEncoder().encode(`\ufeff${list("ISO-8859-1")}`),
    new TextEncoder().encode(list("utf-16")), // As .NET writes it.
    latin1(list("ISO-8859-1")),
    latin1(list("windows-1252")),
    utf16(list("UTF-16")),
    utf16(list("UTF-16"), { bigEndian: true }),
    utf16(list("UTF-16"), { mark: false }),
    utf16(list("UTF-16"), { bigEndian: true, mark: false }),
  ];
  for (const encoded of bytes) assert.deepEqual(await parseFeedList(encoded), [`${A}?é`]);
  assert.deepEqual(await parseFeedList(utf16(`${A}\r\n${B}\r\n`)), [A, B]);
});

Deno.test("a list that cannot be read as a whole is refused, with the place", async () => {
  const cases: [string | Uint8Array, RegExp][] = [
    [
      opml(`<outline xmlUrl="${A}"/>`).slice(0, -20),
      /^Cannot read the list of feeds: it is not valid XML: 4:\d+: unclosed tag/,
    ],
    [
      opml(`<outline xmlUrl="${A}>`),
      /^Cannot read the list of feeds: it is not valid XML: \d+:\d+: /,
    ],
    [
      opml(`<outline xmlUrl="${A}"></body>`),
      /^Cannot read the list of feeds: it is not valid XML: 4:\d+: /,
    ],
    ["<!doctype html><p>Not found", /^Cannot read the list of feeds: it is not valid XML: /],
    [
      "<rss version='2.0'><channel/></rss>",
      /^Cannot read the list of feeds: it is XML, but no OPML list: .* <rss>$/,
    ],
    ["<opml><!--\ud800", /^Cannot read the list of feeds: it is not valid XML: /],
    ["<", /^Cannot read the list of feeds: it is not valid XML: /],
    [latin1(`${A}?é\n`), /^Cannot read the list of feeds: it is not UTF-8 text$/],
    [
      latin1('<?xml version="1.0" encoding="x-no"?><opml/>'),
      /^Cannot read the list of feeds: its encoding "x-no" is unknown$/,
    ],
  ];
  for (const [list, message] of cases) {
    await assert.rejects(parseFeedList(list), (error) => {
      assert.ok(error instanceof SyntaxError);
      assert.match(error.message, message);
      return true;
    });
  }
});

Deno.test("messages name the list", async () => {
  await assert.rejects(parseFeedList("<rss/>", { name: "subs.opml" }), {
    name: "SyntaxError",
    message: "Cannot read subs.opml: it is XML, but no OPML list: its root element is <rss>",
  });
});

Deno.test("whatever a list holds, it is read or refused", async () => {
  const parts = ["<opml>", "</opml>", "<outline ", "xmlUrl=", '"', "'", "/>", ">", "<!--", "-->"];
  const more = ["<![CDATA[", "]]>", "<!DOCTYPE opml [", "]>", "<?xml ", "?>", "&", ";", "#x0", "é"];
  const part = fc.oneof(fc.constantFrom(...parts, ...more, "\0", "\ud800", "\n"), fc.string());
  const text = fc.array(part, { maxLength: 30 }).map((parts) => parts.join(""));
  const list = fc.oneof(text, text.map((text) => `<opml>${text}`), fc.uint8Array());
  await fc.assert(fc.asyncProperty(list, async (list) => {
    const urls = await parseFeedList(list).catch((error) => {
      assert.ok(error instanceof SyntaxError, error);
      return [];
    });
    for (const url of urls) assert.ok(url === url.trim() && url !== "");
  }));
});
