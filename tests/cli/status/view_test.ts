import assert from "node:assert/strict";
import { colored, uncolored } from "../../../lib/cli/demo/style.ts";
import { cutToWidth, displayWidth } from "../../../lib/cli/status/display_width.ts";
import { aligned, type Line, renderLine, span, wrapped } from "../../../lib/cli/status/lines.ts";
import { overview, styleOf } from "../../../lib/cli/status/overview.ts";
import { costOf } from "../../../lib/cli/status/request_cost.ts";
import { serverView } from "../../../lib/cli/status/server_view.ts";
import type { FleetStatus } from "../../../lib/fleet/status/fleet_status.ts";
import { ago, named, seen, statusOf } from "../../fleet/status/reports.ts";

const HOSTILE = "\x1b[2J\u202e\u2028\x9b31m\r\n\0";

/** A status in which nearly everything is wrong. */
const TROUBLED = statusOf([
  seen(named("web-1")),
  seen(named("web-2", { list: "a".repeat(32) }), {
    version: `日本${HOSTILE}`,
    streams: [
      { stream: "web-1_aaaaaaaa", applied: 4, end: 1300, behindSeconds: 900, held: HOSTILE },
      { stream: "old-1_aaaaaaaa", applied: 4, end: 4, behindSeconds: 0 },
    ],
    behindSeconds: 4000,
    deadLetters: { [HOSTILE]: 1200 },
    queued: 4,
    queuedSeconds: 900,
    lastError: { message: HOSTILE, time: ago(44) },
    gaps: 2,
    advertise: { origin: HOSTILE, time: ago(10), signature: "v1,x" },
    turns: { feeds: 9, owned: 3, overdue: 2, slowDomains: [HOSTILE], suffixes: HOSTILE },
  }),
  seen(named("web-3"), { seconds: 4000 }),
], { checkAddress: () => "wrong-secret" });

function text(lines: readonly Line[]): string[] {
  return lines.map((line) => renderLine(line, uncolored));
}

/** What concerns one server. */
function only(status: FleetStatus, name: string): FleetStatus {
  return { ...status, servers: status.servers.filter(({ server }) => server === name) };
}

Deno.test("the table says in one line a server how it is", () => {
  const [sentence, place, , ...rows] = text(overview(TROUBLED, 100));
  assert.match(sentence, /^6 problems: behind \(web-2\), held \(web-2\), dead letters \(web-2\), /);
  assert.equal(place, "s3://feed-sync/prod, 2026-11-30T12:00:00Z");
  assert.deepEqual(
    rows.slice(0, 2).map((row) => row.split(/ {2,}/)),
    [
      [
        ...["server", "seen", "behind", "queued", "letters", "published", "feeds", "up"],
        "version",
      ],
      ["web-1", "10 s ago", "no", "0", "0", "3 min ago", "1,203", "4 d", "0.2.0"],
    ],
  );
  assert.match(
    rows[2],
    /^web-2 +10 s ago +67 min \(1,296\) +4 +1,200 +3 min ago +1,203 +4 d +日本/,
  );
  assert.match(rows[3], /^web-3 +gone, 67 min ago +no +0 /);
});

Deno.test("the problems follow with what to do, wrapped to the terminal", () => {
  const lines = text(overview(TROUBLED, 60));
  const at = lines.indexOf("✗ web-3: gone, last seen 67 min ago");
  assert.match(lines[at + 1], /^ {2}→ See whether it runs/);
  assert.match(lines[at + 2], /^ {4}\S/);
  for (const line of lines.slice(lines.indexOf("", 5))) assert.ok(displayWidth(line) <= 60, line);
});

Deno.test("everything about one server is shown, and nothing of the others", () => {
  const shown = text(serverView(only(TROUBLED, "web-2"), 100, { store: TROUBLED.store })).join(
    "\n",
  );
  for (
    const fact of [
      /\nweb-2 +running, seen 10 s ago, every 5 min\n/,
      /\n {2}behind +67 min \(1,296\)\n/,
      /\n {2}published +3 min ago, 4 queued for 15 min\n/,
      /\n {2}dead letters +.* 1200\n/,
      /\n {2}gaps +2 since it started\n/,
      /\n {2}turns +fetches 3 of 9 feeds, 2 overdue, weight 100, /,
      /\n {2}requests +400 PUT, 4,000 GET, 40,000 LIST, 4 DELETE since it started\n/,
      /\n +100 PUT, 1,000 GET, 10,000 LIST, 1 DELETE a day, \$0\.0509 at the prices of aws\n/,
      /\n {2}retention +1d\n/,
      /\n {2}address +.*, signed with another secret\n/,
      /\n {2}web-1_aaaaaaaa +1,296 +15 min +\S/,
      /\n {2}old-1_aaaaaaaa +0 +–\n/,
    ]
  ) assert.match(shown, fact);
  assert.doesNotMatch(shown, /\nweb-3/);
  const gone = text(serverView(only(TROUBLED, "web-3"), 100, { store: TROUBLED.store }));
  assert.equal(gone[3], "web-3           gone, last seen 67 min ago; all below is as it was then");
});

Deno.test("consumers are shown only where there are any, and how far they are", () => {
  const consumers = [
    { server: "web-1", name: HOSTILE, behindUpdates: 0, behindSeconds: 0, lastRead: ago(3) },
    { server: "web-2", name: "search", behindUpdates: 1204, behindSeconds: 7200, lastRead: null },
  ];
  const lines = text(overview({ ...TROUBLED, consumers }, 100));
  const at = lines.findIndex((line) => line.startsWith("consumer"));
  assert.equal(lines[at - 1], "");
  assert.deepEqual(lines.slice(at, at + 4).map((row) => row.split(/ {2,}/).slice(1)), [
    ["server", "behind", "read"],
    ["web-1", "no", "3 s ago"],
    ["web-2", "2 h (1,204)", "never"],
    [],
  ]);
  for (const line of lines) assert.doesNotMatch(line, /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
  const before = text(overview(TROUBLED, 100));
  assert.deepEqual(lines.toSpliced(at - 1, 4), before);
});

Deno.test("red needs a person, yellow is worth a look, what is gone is dim", () => {
  const status = statusOf([
    seen(named("red")),
    seen(named("yellow"), { gaps: 1, version: "0.3.0" }),
    seen(named("plain")),
    seen(named("dim"), { seconds: 4000 }),
    seen(named("red"), { deadLetters: { log: 1 } }),
  ]);
  for (const server of status.servers) {
    const style = server.server === "plain" ? undefined : server.server;
    assert.equal(styleOf(server, status.problems), style);
  }
});

Deno.test("what other servers say commands no terminal", () => {
  const views = [
    overview(TROUBLED, 100),
    ...["web-1", "web-2", "web-3"].map((name) =>
      serverView(only(TROUBLED, name), 100, { store: TROUBLED.store })
    ),
  ];
  for (const line of views.flatMap(text)) assert.doesNotMatch(line, /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
  for (const line of views.flat().map((line) => renderLine(line, colored))) {
    // deno-lint-ignore no-control-regex
    assert.doesNotMatch(line.replace(/\x1b\[(1|2|31|32|33|0)m/g, ""), /[\p{Cc}\p{Cf}]/u);
  }
});

Deno.test("columns are aligned by what a terminal shows", () => {
  const widths: [string, number][] = [
    ["abc", 3],
    ["Grüße", 5],
    ["e\u0301", 1],
    ["日本", 4],
    ["한글", 4],
    ["🦕!", 3],
    ["", 0],
  ];
  for (const [text, width] of widths) assert.equal(displayWidth(text), width, text);
  const rows = aligned([["日本", "1"], ["abc", "10"]].map((row) => row.map((text) => span(text))), (
    column,
  ) => column === 1);
  assert.deepEqual(text(rows), ["日本   1", "abc   10"]);
  assert.equal(cutToWidth("日本語", 6), "日本語");
  assert.equal(cutToWidth("日本語", 5), "日本…");
  assert.equal(cutToWidth("日本語", 4), "日…");
  assert.equal(cutToWidth("abc", 0), "");
  assert.equal(renderLine([span("abc"), span("def", "red")], uncolored, 5), "abcd…");
  assert.deepEqual(text(wrapped(span("! "), `${"word ".repeat(6)}end`, 22)), [
    "! word word word word",
    "  word word end",
  ]);
});

Deno.test("requests cost what the provider takes, and nothing in a directory", () => {
  const perDay = { put: 288, get: 1000, list: 8640, delete: 9 };
  const cost = (store: string, endpoint?: string) => costOf(perDay, { store, endpoint });
  assert.equal(cost("s3://a/b"), ", $0.0450 at the prices of aws");
  assert.equal(
    cost("s3://a", "https://x.r2.cloudflarestorage.com"),
    ", $0.0000 at the prices of r2",
  );
  assert.equal(cost("s3://a", "https://eu.linodeobjects.com"), ", $0.0000 at the prices of linode");
  assert.equal(cost("s3://a", "http://localhost:9000"), ", $0.0450 at the prices of aws");
  assert.equal(cost("file:/store"), "");
});
