import assert from "node:assert/strict";
import { check, type Saved } from "../../../lib/cli/demo/check.ts";
import type { Arrival } from "../../../lib/cli/demo/watch_process.ts";

const URL = "https://example.com/feed.xml";

/** Three files that were saved. */
const saved: Saved[] = ["one", "two", "three"].map((content) => ({
  url: URL,
  content,
  headline: content,
  at: 0,
}));

/** What a process printed that received these updates. */
function run(...seqs: number[]): Arrival[] {
  return seqs.map((seq) => arrival(seq));
}

function arrival(seq: number, change: Partial<Arrival["update"]> = {}): Arrival {
  const { content } = saved[seq - 1];
  const stream = "web-1_abcdefgh";
  return {
    update: { id: `id ${seq}`, url: URL, content, time: "", stream, seq, ...change },
    at: 0,
  };
}

const problems = (...runs: Arrival[][]) => check(saved, runs, new Map()).problems;

Deno.test("check() finds nothing wrong when every update came in order", () => {
  const verdict = check(saved, [run(1, 2), run(3)], new Map());
  assert.deepEqual(verdict, { applied: 3, repeated: 0, problems: [] });
});

Deno.test("check() lets a process that follows a killed one begin with the last update again", () => {
  const verdict = check(saved, [run(1, 2), run(2, 3)], new Map());
  assert.deepEqual(verdict, { applied: 3, repeated: 1, problems: [] });
});

Deno.test("check() tells of updates that are missing, swapped or came twice", () => {
  assert.deepEqual(problems(run(1, 2)), ["updates 3 to 3 did not come"]);
  assert.deepEqual(problems([]), ["updates 1 to 3 did not come"]);
  assert.deepEqual(problems(run(1, 3)), ["update 3 came when 2 was due"]);
  assert.equal(problems(run(2, 1, 3)).length, 3);
  assert.deepEqual(problems(run(1, 1, 2, 3)), ["update 1 came when 2 was due"]);
  assert.deepEqual(problems(run(1, 2), run(1, 2, 3)), ["update 1 came when 3 was due"]);
  assert.deepEqual(problems(run(1), run(3)), ["update 3 came when 2 was due"]);
});

Deno.test("check() tells of an update that is not what was saved", () => {
  const wrong = (change: Partial<Arrival["update"]>) =>
    problems([...run(1), arrival(2, change), ...run(3)]);
  assert.deepEqual(wrong({ content: "two " }), ["update 2 has another content than it should"]);
  assert.deepEqual(wrong({ url: `${URL}?` }), ["update 2 has another URL than it should"]);
});

Deno.test("check() tells when an update has another id or stream at another server", () => {
  for (const change of [{ id: "another" }, { stream: "web-1_zzzzzzzz" }]) {
    const identities = new Map<number, string>();
    assert.deepEqual(check(saved, [run(1, 2, 3)], identities).problems, []);
    const other = check(saved, [[...run(1, 2), arrival(3, change)]], identities);
    assert.deepEqual(other.problems, ["update 3 has another id than it should"]);
  }
});
