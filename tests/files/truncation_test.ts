import assert from "node:assert/strict";
import { findTruncation } from "../../lib/files/watching/truncation.ts";

const RSS = `<?xml version="1.0" encoding="utf-8"?>
<!-- made by hand -->
<!DOCTYPE rss [<!ENTITY copy "&#169;">]>
<rss version="2.0"><channel><title>a &lt; b</title><description><![CDATA[<p>x</p>]]></description></channel></rss>`;

const utf8 = (text: string) => new TextEncoder().encode(text);

function utf16(text: string, { big = false, mark = true } = {}): Uint8Array {
  const units = [...(mark ? "\ufeff" : "") + text].map((character) => character.charCodeAt(0));
  return new Uint8Array(
    units.flatMap((unit) => big ? [unit >> 8, unit & 255] : [unit & 255, unit >> 8]),
  );
}

Deno.test("no part of a feed is whole, and the whole one is", () => {
  for (
    const text of [RSS, '<feed xmlns="x"><a/></feed>', "<rdf:RDF>\n</rdf:RDF >", '{"a":[1,{}]}']
  ) {
    assert.equal(findTruncation(utf8(text)), undefined, text);
    for (let length = 1; length < text.length; length++) {
      assert.notEqual(
        findTruncation(utf8(text.slice(0, length))),
        undefined,
        text.slice(0, length),
      );
    }
  }
});

Deno.test("white space, comments and instructions after the root element are no part of it", () => {
  for (
    const end of ["\n", "\r\n\t ", "<!-- took 0.1 s -->", "\n<?end?>\n<!-- <rss> -->\n", "\0\0"]
  ) {
    assert.equal(findTruncation(utf8(RSS + end)), undefined, JSON.stringify(end));
  }
});

Deno.test("XML is told in the encodings that feeds come in", () => {
  const encodings = [
    (text: string) => utf8(`\ufeff${text}`),
    (text: string) => utf16(text),
    (text: string) => utf16(text, { big: true }),
    (text: string) => utf16(text, { mark: false }),
    (text: string) => utf16(text, { big: true, mark: false }),
    (text: string) => new Uint8Array([...utf8(text.slice(0, -6)), 0xe9, ...utf8(text.slice(-6))]),
  ];
  for (const [i, encode] of encodings.entries()) {
    assert.equal(findTruncation(encode(RSS)), undefined, `encoding ${i}`);
    assert.notEqual(findTruncation(encode(RSS.slice(0, -7))), undefined, `encoding ${i}`);
  }
});

Deno.test("what is neither XML nor JSON passes, however it ends", () => {
  for (
    const text of [
      "",
      "plain",
      "<3 cats",
      "[draft] one",
      "{not JSON",
      "<!DOCTYPE html><html><body>x",
      "<rss/>",
      '<rss version="2.0" />\n',
      '{"a":1}\n{"b":2}\n',
      "[]",
      "GIF89a",
    ]
  ) assert.equal(findTruncation(utf8(text)), undefined, text);
  assert.equal(findTruncation(new Uint8Array([0x1f, 0x8b, 8, 0])), undefined);
});

Deno.test("an empty element inside is no end of the root element", () => {
  for (const text of ["<rss><a/>", "<a><a/>", "<rss></rss2>", "<rss", "<", "<?xml", "<!-- x"]) {
    assert.notEqual(findTruncation(utf8(text)), undefined, text);
  }
});
