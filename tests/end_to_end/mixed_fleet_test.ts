/** Servers with this program and servers with the one before, in one fleet. */
import assert from "node:assert/strict";
import { feedsync, type Outcome, workspace } from "../cli/feedsync.ts";
import { programsBefore } from "../programs_before.ts";

const URLS = ["https://example.com/a", "https://example.com/b", "https://example.com/c"];

/** One program in a fleet. */
type Run = (args: string[], stdin?: string) => Promise<Outcome>;

async function onMixedFleet(
  name: string,
  test: (programs: { old: Run; now: Run }) => Promise<void>,
) {
  for await (const { commit, root } of programsBefore(name)) {
    await using home = await workspace();
    const run = (root?: string): Run => async (args, stdin = "") => {
      const outcome = await feedsync([...args, "--store", "file:store"], {
        cwd: home.path,
        stdin,
        ...root !== undefined && { root },
      });
      assert.equal(outcome.code, 0, `${commit}: ${args.join(" ")}: ${outcome.stderr}`);
      return outcome;
    };
    await test({ old: run(root), now: run() });
  }
}

function applied({ json }: Outcome): unknown[] {
  return json().map(({ content }) => content);
}

Deno.test("servers with this program and with the one before apply what the others publish", async () => {
  await onMixedFleet("a mixed fleet", async ({ old, now }) => {
    const sent: string[] = [];
    // So many that both have merged commits into segments.
    for (let i = 0; i < 12; i++) {
      for (const [name, run] of Object.entries({ old, now })) {
        await run(["publish", URLS[i % 3], "--server", `publisher-${name}`], `${name} ${i}`);
        sent.push(`${name} ${i}`);
      }
    }
    for (const [name, run] of Object.entries({ old, now })) {
      const got = await run(["watch", "--once", "--json", "--server", `reader-${name}`]);
      assert.deepEqual(applied(got).sort(), sent.toSorted(), name);
    }
  });
});

Deno.test("a server is upgraded, and set back, with the state that it has", async () => {
  await onMixedFleet("an upgrade", async ({ old, now }) => {
    const streams = new Set<unknown>();
    for (const [index, run] of [old, now, old, now].entries()) {
      await run(["publish", URLS[0], "--server", "other"], `other ${index}`);
      const [receipt] = (await run(["publish", URLS[1], "--server", "web-1", "--json"], `${index}`))
        .json();
      assert.equal(receipt.seq, index + 1);
      streams.add(receipt.stream);
      const got = await run(["watch", "--once", "--json", "--server", "web-1"]);
      assert.deepEqual(applied(got), [`other ${index}`]);
    }
    assert.equal(streams.size, 1, "the stream goes on");
  });
});
