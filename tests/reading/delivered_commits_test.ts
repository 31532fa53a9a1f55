import assert from "node:assert/strict";
import { objectName } from "../../lib/log/names.ts";
import { DeliveredCommits } from "../../lib/reading/delivered_commits.ts";

const MIB = 1024 * 1024;

function commit(seq: number, size: number) {
  const part = { kind: "tail", stream: "web-1_abcdefgh", writer: "zzzzzzzz" } as const;
  return { name: objectName({ ...part, first: seq, last: seq }), updates: [], size };
}

Deno.test("delivered commits are kept until they take too much memory, the newest ones longest", () => {
  const delivered = new DeliveredCommits();
  const commits = [1, 2, 3].map((seq) => commit(seq, 15 * MIB));
  for (const commit of commits) delivered.keep(commit);
  assert.deepEqual(commits.map(({ name }) => delivered.take(name)?.size), [
    undefined,
    15 * MIB,
    15 * MIB,
  ]);
});

Deno.test("a delivered commit that takes too much memory by itself is not kept", () => {
  const delivered = new DeliveredCommits(), large = commit(1, 33 * MIB);
  delivered.keep(large);
  assert.equal(delivered.take(large.name), undefined);
});
