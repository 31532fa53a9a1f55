import assert from "node:assert/strict";
import { AccessDeniedError } from "../../../lib/errors.ts";
import {
  CorruptObjectError,
  MissingKeyError,
  MissingObjectError,
  UnsupportedFormatError,
} from "../../../lib/errors.ts";
import { summaryOf } from "../../../lib/fleet/status/summary.ts";
import type { PresenceReport } from "../../../lib/log/fleet/presence.ts";
import { ago, kinds, named, report, seen, statusOf } from "./reports.ts";

/** The status of a server that says this, beside one that is well. */
function beside(changes: Parameters<typeof seen>[1], name = named("web-2")) {
  return statusOf([seen(named("web-1")), seen(name, changes)]);
}

/** What is told of a server that says this. */
function told(changes: Partial<PresenceReport>): string[] {
  return kinds(beside(changes));
}

Deno.test("servers that are well have no problems", () => {
  const status = beside({});
  assert.deepEqual(status.problems, []);
  assert.equal(summaryOf(status), "All is well: 2 servers");
});

Deno.test("a server that was not seen for three intervals is gone, and its last words are old news", () => {
  const last = { deadLetters: { log: 1 }, gaps: 1, retention: 1 };
  assert.deepEqual(kinds(beside({ seconds: 900, ...last })).slice(0, 2), [
    "problem dead-letters",
    "problem retention",
  ]);
  const gone = beside({ seconds: 901, ...last });
  assert.deepEqual(kinds(gone), ["problem gone"]);
  assert.deepEqual(gone.problems[0].servers, ["web-2"]);
  assert.match(gone.problems[0].message, /^web-2: gone, last seen 15 min ago$/);
  const often = beside({ seconds: 181 }, named("web-2", { interval: 60 }));
  assert.deepEqual(kinds(often), ["problem gone"]);
  assert.equal(summaryOf(often), "1 problem: gone (web-2)");
});

Deno.test("where the store tells no times, a server's own tell how old its presence is", () => {
  const { name, stored } = seen(named("web-2"), { written: ago(901) });
  const undated = { name: { ...name, lastModified: undefined }, stored };
  assert.deepEqual(kinds(statusOf([seen(named("web-1")), undated])), ["problem gone"]);
});

Deno.test("a server is behind once it has lacked something for ten minutes and for three polls", () => {
  assert.deepEqual(told({ behindSeconds: 600 }), []);
  assert.deepEqual(told({ behindSeconds: 601 }), ["problem behind"]);
  assert.deepEqual(told({ behindSeconds: 900, pollSeconds: 300 }), []);
  assert.deepEqual(told({ behindSeconds: 901, pollSeconds: 300 }), ["problem behind"]);
  assert.deepEqual(told({ behindSeconds: null, started: ago(600) }), ["note starting"]);
  assert.deepEqual(told({ behindSeconds: null, started: ago(700) }), ["problem behind"]);
});

Deno.test("a stream that is held up is told with the reason, once for all servers", () => {
  const held = (behindSeconds: number) => ({
    streams: [{ stream: "web-1_aaaaaaaa", applied: 1, end: 3, behindSeconds, held: "no key" }],
  });
  assert.deepEqual(told(held(120)), ["note held"]);
  const { problems } = statusOf([
    seen(named("web-1")),
    seen(named("web-2"), held(121)),
    seen(named("web-3"), held(500)),
  ]);
  assert.equal(problems.length, 1);
  assert.deepEqual([problems[0].severity, problems[0].servers], ["problem", ["web-2", "web-3"]]);
  assert.equal(
    problems[0].message,
    "web-2, web-3: cannot continue with web-1_aaaaaaaa: no key",
  );
});

Deno.test("dead letters are told by plugin", () => {
  const { problems } = beside({ deadLetters: { mirror: 2, log: 0, webhook: 1 } });
  assert.equal(problems[0].message, "web-2: 3 dead letters (mirror 2, webhook 1)");
  assert.deepEqual(told({ deadLetters: { log: 0 } }), []);
});

Deno.test("updates that are not uploaded need a person after ten minutes, failures are told", () => {
  const lastError = { message: "denied", time: ago(5) };
  assert.deepEqual(told({ queued: 3 }), []);
  assert.deepEqual(told({ queued: 3, queuedSeconds: 600 }), []);
  assert.deepEqual(told({ queued: 3, queuedSeconds: 601 }), ["problem queued"]);
  assert.deepEqual(told({ queued: 3, queuedSeconds: 20, lastError }), ["note queued"]);
  assert.deepEqual(told({ queued: 3, lastError }), ["note queued"]);
  assert.deepEqual(told({ lastError }), ["note failing"]);
  assert.deepEqual(told({ gaps: 2 }), ["note gaps"]);
});

Deno.test("a presence that cannot be read is told by why", () => {
  const { key } = named("web-2");
  const cases: [Error, string, RegExp][] = [
    [new MissingKeyError(key, "k2", "it is not there"), "problem missing-key", /: it is encryp/],
    [new UnsupportedFormatError(key, 3, 1), "problem newer-version", /: it needs a reader/],
    [new CorruptObjectError(key, "it is malformed"), "problem damaged", /: it is malformed$/],
    [new AccessDeniedError("no"), "problem refused", /: no$/],
    [new MissingObjectError(key), "note not-found", /: listings show it/],
  ];
  for (const [error, kind, message] of cases) {
    const status = beside({ error });
    assert.deepEqual(kinds(status), [kind]);
    assert.match(status.problems[0].message, message);
    assert.equal(status.servers[1].report, null);
  }
});

Deno.test("many presences that lack the same key are one problem", () => {
  const presences = ["web-1", "web-2", "web-3"].map((server) => {
    const name = named(server);
    return seen(name, { error: new MissingKeyError(name.key, "k2", "no keys are configured") });
  });
  const { problems } = statusOf(presences);
  assert.equal(problems.length, 1);
  assert.deepEqual(problems[0].servers, ["web-1", "web-2", "web-3"]);
});

Deno.test("plain presences among encrypted ones are told", () => {
  assert.deepEqual(kinds(beside({ isPlain: true })), ["problem plain"]);
});

Deno.test("an address that peers do not use is told, where a secret is known", () => {
  const advertise = { origin: "http://web-2:7070", time: ago(10), signature: "v1,x" };
  const presences = [seen(named("web-1")), seen(named("web-2"), { advertise })];
  const found = (["valid", "wrong-secret", "invalid-origin", "expired"] as const)
    .map((verdict) => kinds(statusOf(presences, { checkAddress: () => verdict })));
  assert.deepEqual(found, [[], ["problem secret"], ["note address"], ["note address"]]);
  const [, { report }] = statusOf(presences).servers;
  assert.deepEqual(report?.address, { origin: "http://web-2:7070", verdict: "unchecked" });
});

Deno.test("what differs between servers is told with who has what", () => {
  const turns = { feeds: 9, owned: 3, overdue: 0, slowDomains: [], suffixes: "7.1" };
  const list = (digit: string) => named("web-2", { list: digit.repeat(32) });
  const withTurns = (changes: Partial<PresenceReport>, digit = "a") =>
    kinds(statusOf([
      seen(named("web-1", { list: "a".repeat(32) }), { turns }),
      seen(list(digit), { turns, ...changes }),
    ]));
  const different = beside({ retention: 7 * 24 * 60 * 60 });
  assert.deepEqual(kinds(different), ["problem retention"]);
  assert.equal(different.problems[0].message, "Retentions differ: 1d (web-1); 7d (web-2)");
  assert.deepEqual(told({ retention: null }), ["problem retention"]);
  assert.deepEqual(told({ version: "0.3.0" }), ["note versions"]);
  assert.deepEqual(told({ formats: { reader: 1, written: 2 } }), ["note formats"]);
  assert.deepEqual(withTurns({}), []);
  assert.deepEqual(withTurns({}, "b"), ["note lists"]);
  assert.deepEqual(withTurns({ turns: { ...turns, suffixes: "7.2" } }), ["note suffixes"]);
});

Deno.test("turns that cannot keep up are told", () => {
  const turns = { feeds: 9, owned: 3, overdue: 2, slowDomains: ["example.com"], suffixes: "7.1" };
  assert.deepEqual(told({ turns }), ["note overdue", "note slow-domains"]);
});

Deno.test("a server that crashed and started again is no other server, whatever its state", () => {
  for (const id of ["aaaaaaaa", "bbbbbbbb"]) {
    for (const seconds of [40, 400, 4000]) {
      const status = statusOf([
        seen(named("web-1"), { seconds }),
        seen(named("web-1", { writer: "vvvvvvvv", id }), { started: ago(seconds - 5) }),
        seen(named("web-2")),
      ]);
      assert.deepEqual(kinds(status), []);
      assert.deepEqual(status.servers.map(({ server }) => server), ["web-1", "web-2"]);
      assert.equal(status.servers[0].writer, "vvvvvvvv");
    }
  }
});

Deno.test("two servers with one name are told, and a cloned machine", () => {
  const both = (id: string) =>
    statusOf([
      seen(named("web-1"), { seconds: 20 }),
      seen(named("web-1", { writer: "vvvvvvvv", id }), { started: ago(300) }),
      seen(named("web-2")),
    ]);
  assert.deepEqual(kinds(both("bbbbbbbb")), ["problem same-name"]);
  assert.deepEqual(kinds(both("aaaaaaaa")), ["problem cloned"]);
  assert.deepEqual(both("bbbbbbbb").problems[0].servers, ["web-1"]);
  assert.equal(both("bbbbbbbb").servers.length, 3);
});

Deno.test("a server that wrote after its namesake did is no former run of it", () => {
  const status = statusOf([
    seen(named("web-1"), { seconds: 5 }),
    seen(named("web-1", { writer: "vvvvvvvv" }), { seconds: 15, started: ago(20) }),
    seen(named("web-2")),
  ]);
  assert.deepEqual(kinds(status), ["problem cloned"]);
});

Deno.test("a name is not told as shared by a server of an unknown time", () => {
  const unknown = seen(named("web-1", { id: "bbbbbbbb" }), { started: ago(3000) });
  const undated = {
    name: { ...unknown.name, lastModified: undefined },
    stored: { report: report({ started: ago(9), written: ago(-9999) }), isPlain: false },
  };
  const status = statusOf([seen(named("web-1"), { seconds: 20 }), undated, seen(named("web-2"))]);
  assert.deepEqual(kinds(status), ["note undated"]);
});

Deno.test("a name is not told as shared by a server that cannot be read: it may have restarted", () => {
  const status = statusOf([
    seen(named("web-1"), { seconds: 20 }),
    seen(named("web-1", { writer: "vvvvvvvv" }), { error: new CorruptObjectError("a", "b") }),
    seen(named("web-2")),
  ]);
  assert.deepEqual(kinds(status), ["problem damaged"]);
});

Deno.test("a server that is alone is told so, and that there is none", () => {
  assert.deepEqual(kinds(statusOf([seen(named("web-1"))])), ["note alone"]);
  const none = statusOf([]);
  assert.deepEqual(kinds(none), ["problem nobody"]);
  assert.equal(summaryOf(none), "1 problem: nobody");
});

Deno.test("publishers are told that others read from and that are not seen", () => {
  const streams = ["web-1_bbbbbbbb", "old-1_aaaaaaaa", "old-1_bbbbbbbb", "no stream"]
    .map((stream) => ({ stream, applied: 1, end: 1, behindSeconds: 0 }));
  const status = statusOf([seen(named("web-1")), seen(named("web-2"), { streams })]);
  assert.deepEqual(kinds(status), ["note silent"]);
  assert.deepEqual(status.problems[0].servers, ["old-1"]);
  assert.deepEqual(kinds(statusOf([seen(named("web-2"), { streams })])), ["note silent"]);
});

Deno.test("what needs a person comes first, and no kind fills the screen", () => {
  const presences = Array.from(
    { length: 60 },
    (_, index) => seen(named(`web-${index}`), { gaps: index + 1, deadLetters: { log: index + 1 } }),
  );
  const status = statusOf(presences, { left: 7 });
  assert.deepEqual([...new Set(kinds(status))], [
    "problem dead-letters",
    "note gaps",
    "note too-many",
  ]);
  assert.equal(status.problems.length, 21 + 21 + 1);
  assert.equal(status.problems[20].message, "and 40 more like this");
  assert.equal(status.problems[20].servers.length, 40);
  assert.ok(summaryOf(status).length < 2000);
});

Deno.test("requests a day are told from the first minute on", () => {
  const at = (seconds: number) =>
    statusOf([seen(named("web-1"), report({ started: ago(seconds + 10) }))]).servers[0].report;
  assert.deepEqual(at(24 * 60 * 60)?.requestsPerDay, {
    put: 400,
    get: 4000,
    list: 40_000,
    delete: 4,
  });
  assert.equal(at(59)?.requestsPerDay, null);
});
