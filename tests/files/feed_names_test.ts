import assert from "node:assert/strict";
import {
  feedFileName,
  findNameProblem,
  hashedFileName,
  urlOfStem,
} from "../../lib/files/feed_names.ts";

Deno.test("feedFileName() writes the URL as one path segment", () => {
  assert.equal(
    feedFileName("https://example.com/feed.xml"),
    "https%3A%2F%2Fexample.com%2Ffeed.xml.feed",
  );
  assert.equal(feedFileName("urn:isbn:1"), "urn%3Aisbn%3A1.feed");
  assert.equal(feedFileName("https://x/*"), "https%3A%2F%2Fx%2F%2A.feed");
});

Deno.test("urlOfStem() reads the name that feedFileName() wrote, for any URL that fits in one", () => {
  const random = randomNumbers(1);
  const seen = new Map<string, string>();
  let plain = 0;
  for (let run = 0; run < 600; run++) {
    const url = randomUrl(random);
    const name = feedFileName(url);
    assert.match(name, /^[\w.!~'()%-]+\.feed$/, url);
    assert.ok(!name.startsWith("."), url);
    assert.ok(name.length + ".json".length <= 255, url);
    assert.equal(seen.get(name) ?? url, url, "two URLs share a file");
    seen.set(name, url);
    if (name.length <= 240) {
      plain++;
      assert.equal(urlOfStem(name.slice(0, -".feed".length)), url);
    } else {
      assert.equal(urlOfStem(name.slice(0, -".feed".length)), undefined, url);
    }
  }
  assert.ok(plain > 300 && plain < 600, `${plain} of 600 were short`);
});

Deno.test("feedFileName() gives a long URL a name that no other URL has", () => {
  const long = "https://example.com/" + "a".repeat(5_000);
  const name = feedFileName(long);
  assert.match(name, /^https%3A%2F%2Fexample\.com%2Fa+~[0-9a-f]{64}\.feed$/);
  assert.equal(feedFileName(long), name);
  assert.notEqual(feedFileName(long + "b"), name);
  const imitation = decodeURIComponent(name.slice(0, -".feed".length));
  assert.notEqual(feedFileName(imitation), name);
});

Deno.test("feedFileName() changes to the long form beyond 240 bytes", () => {
  const overhead = feedFileName("https://x/").length;
  const longest = "https://x/" + "a".repeat(240 - overhead);
  assert.equal(feedFileName(longest).length, 240);
  assert.equal(urlOfStem(feedFileName(longest).slice(0, -5)), longest);
  assert.equal(feedFileName(longest + "a").length, 241);
});

Deno.test("feedFileName() refuses what is not an absolute URL", () => {
  for (const url of ["", ".", "..", "../../etc/passwd", "/etc/passwd", "\0", "https://x/\ud800"]) {
    assert.throws(() => feedFileName(url), TypeError, JSON.stringify(url));
  }
  assert.throws(() => feedFileName("../etc"), {
    message: 'Cannot name a file after a feed that has no absolute URL: "../etc"',
  });
});

Deno.test("urlOfStem() reads the names of the Python module that stand for one URL only", () => {
  assert.equal(urlOfStem("https___example.com_feed.xml"), "https://example.com/feed.xml");
  assert.equal(urlOfStem("https___example.com_"), "https://example.com/");
  assert.equal(urlOfStem("http___localhost:8080_feed?c=1"), "http://localhost:8080/feed?c=1");
  assert.equal(urlOfStem("https___example.com_100%"), "https://example.com/100%");
  assert.equal(
    urlOfStem("https___example.com_?of=https%3A%2F%2Fa.com"),
    "https://example.com/?of=https%3A%2F%2Fa.com",
  );
});

Deno.test("urlOfStem() refuses names that stand for several URLs, and says so", () => {
  for (
    const name of [
      "https___example.com_my_feed.xml",
      "https___example.com_blog_feed",
      "http___localhost_8080",
      "http___localhost_8080_feed",
    ]
  ) {
    assert.equal(urlOfStem(name), undefined, name);
    assert.match(findNameProblem(name)!, /may stand for several URLs/, name);
  }
});

Deno.test("urlOfStem() refuses names of copies, and says so", () => {
  const forms = ["https%3A%2F%2Fexample.com%2Ffeed.xml", "https___example.com_feed.xml"];
  const copies = [
    " (1)",
    "(1)",
    " - Copy",
    " copy 2",
    " (copy)",
    " (web-1's conflicted copy 2026-01-02)",
    ".sync-conflict-20260102-030405-ABCDEFG",
    "_conflict-20260102-030405",
    ".bak",
    ".orig",
  ];
  for (const name of forms.flatMap((form) => copies.map((copy) => form + copy))) {
    assert.equal(urlOfStem(name), undefined, name);
    assert.match(findNameProblem(name)!, /looks like a copy/, name);
  }
});

Deno.test("urlOfStem() refuses what feedFileName() would write otherwise, and says how", () => {
  for (
    const [name, written] of [
      ["https:%2f%2fexample.com%2ffeed.xml", "https%3A%2F%2Fexample.com%2Ffeed.xml.feed"],
      ["https%3A%2F%2Fexamplé.com%2Fx", "https%3A%2F%2Fexampl%C3%A9.com%2Fx.feed"],
    ]
  ) {
    assert.equal(urlOfStem(name), undefined);
    assert.match(findNameProblem(name)!, new RegExp(`would be '${written}'`));
  }
});

Deno.test("hashedFileName() gives names that no URL has otherwise, and that tell none", () => {
  for (const url of ["https://x/A", "https://x/a", "https://x/" + "a".repeat(5_000)]) {
    const name = hashedFileName(url);
    assert.match(name, /^https%3A%2F%2Fx%2F[aA]+%~[0-9a-f]{64}\.feed$/);
    assert.ok(name.length + ".json".length <= 255);
    assert.notEqual(name, feedFileName(url));
    assert.equal(urlOfStem(name.slice(0, -5)), undefined);
  }
  assert.notEqual(
    hashedFileName("https://x/A").toLowerCase(),
    hashedFileName("https://x/a").toLowerCase(),
  );
});

Deno.test("urlOfStem() makes no URL of names that stand for none", () => {
  for (
    const name of [
      "",
      "notes",
      "my_notes",
      "todo:monday",
      "localhost:80_x",
      "%E0%A4%A",
      "___x",
      "a___",
    ]
  ) {
    assert.equal(urlOfStem(name), undefined, name);
  }
});

/** Mulberry32: the same numbers from 0 up to 1 in every run. */
function randomNumbers(seed: number): () => number {
  return () => {
    seed = seed + 0x6d2b79f5 | 0;
    let t = Math.imul(seed ^ seed >>> 15, 1 | seed);
    t = t + Math.imul(t ^ t >>> 7, 61 | t) ^ t;
    return ((t ^ t >>> 14) >>> 0) / 4294967296;
  };
}

const PIECES = [
  ...[
    "a",
    "Z",
    "0",
    "/",
    "/../",
    "..",
    ".",
    "%2F",
    "%",
    "%00",
    "\0",
    "\n",
    "\\",
    " ",
    "+",
    "?",
    "&",
  ],
  ...[
    "#",
    "_",
    "___",
    "~",
    "*",
    "'",
    "(",
    ":",
    "://",
    "@",
    "é",
    "日本",
    "😀",
    "\u202e",
    ".feed",
    "~ab",
  ],
];

function randomUrl(random: () => number): string {
  const scheme =
    ["https://", "http://", "file:///", "feed://", "HTTPS://"][Math.floor(random() * 5)];
  const length = random() < 0.2 ? 30 + random() * 400 : random() * 25;
  let url = `${scheme}example.com/`;
  for (let i = 0; i < length; i++) url += PIECES[Math.floor(random() * PIECES.length)];
  return url;
}
