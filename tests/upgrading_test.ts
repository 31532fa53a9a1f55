/** Every section of docs/upgrading.md, as it is written there, with the programs before this one. */
import assert from "node:assert/strict";
import { workspace } from "./cli/feedsync.ts";
import { ROOT } from "./library/package_imports.ts";
import { Machine, sectionsOf } from "./machine.ts";
import { programsBefore, VERSION_0_1 } from "./programs_before.ts";

const blocksOf = await sectionsOf("upgrading.md");

/** What 0.1 says when it has started. It does not say when it has every feed. */
const WATCHING = /Watching .* as/;
const COMPLETE = /Complete: \d+ feed/;

Deno.test("a fleet is upgraded server by server, and a server goes back and forth", async () => {
  const [upgrade] = blocksOf("Upgrading a server");
  const [goBack] = blocksOf("Going back");
  const [show] = blocksOf("Which server runs what");
  for await (const { commit, root } of programsBefore("upgrading")) {
    const before = commit === VERSION_0_1 ? WATCHING : COMPLETE;
    await using home = await workspace();
    const config = { store: `file:${home.path}/store` };
    await using web1 = await Machine.make(config, root);
    await using web2 = await Machine.make({ ...config, server: "web-2" }, root);
    const received = new Map<Machine, string>([[web1, ""], [web2, ""]]);
    const places = (machine: Machine) => ({ "/usr/local/bin": machine.path("bin") });

    /** Has a machine receive everything, with the program that it has. */
    const receive = async (machine: Machine) => {
      const { stdout } = await machine.feedsync(["watch", "--once"]);
      received.set(machine, received.get(machine)! + await machine.stop() + stdout);
    };

    for (const machine of [web1, web2]) machine.ready = before;
    const stream = await web1.publish("1");
    await web1.queue("queued", `${home.path}/store`);
    await web2.start();
    await web2.publish("2");

    await web1.install("feedsync-new", ROOT);
    web1.ready = COMPLETE;
    await web1.run(upgrade, places(web1));
    assert.equal(await web1.publish("3"), stream, "its stream goes on");
    await web2.publish("4");
    assert.match(await web1.run(show), /^web-1 .*^feedsync \d/ms);

    await receive(web1);
    web1.ready = before;
    await web1.run(goBack, places(web1));
    assert.equal(await web1.publish("5"), stream);
    await web2.publish("6");
    await receive(web1);

    await receive(web2);
    await Deno.remove(web1.path("before-upgrade.db"));
    for (const machine of [web1, web2]) {
      await machine.install("feedsync-new", ROOT);
      machine.ready = COMPLETE;
      await machine.run(upgrade, places(machine));
    }
    assert.equal(await web1.publish("7"), stream);
    await web2.publish("8");
    for (const machine of [web1, web2]) await receive(machine);
    for (const content of ["2", "4", "6", "8"]) assertHas(received.get(web1)!, content);
    for (const content of ["1", "queued", "3", "5", "7"]) assertHas(received.get(web2)!, content);
    assert.deepEqual(await web1.contents(), ["1", "2", "3", "4", "5", "6", "7", "8", "queued"]);
  }
});

Deno.test("a clone that is run with Deno is upgraded", async () => {
  const [upgrade] = blocksOf("With Deno");
  for await (const { commit } of programsBefore("upgrading a clone")) {
    await using home = await workspace();
    const clone = `${home.path}/feedsync`;
    await git("clone", "-q", "--no-checkout", ROOT, clone);
    const commitId = await git("-C", ROOT, "rev-parse", commit);
    await git("-C", clone, "checkout", "-q", commitId);
    await using web1 = await Machine.make({}, clone);
    const stream = await web1.publish("1");
    const places = { "/opt/feedsync": clone, "v0.2.0": await git("-C", ROOT, "rev-parse", "HEAD") };
    assert.match(await web1.run(upgrade, places), /^web-1 /m);
    assert.equal(await web1.publish("2"), stream);
    await web1.stop();
    assert.deepEqual(await web1.contents(), ["1", "2"]);
  }
});

async function git(...args: string[]): Promise<string> {
  const { success, stdout } = await new Deno.Command("git", { args, stderr: "inherit" }).output();
  assert.ok(success, args.join(" "));
  return new TextDecoder().decode(stdout).trim();
}

/** An update was received, once. */
function assertHas(received: string, content: string): void {
  const times = received.split("\n").filter((line) => line.includes(`example.com/${content} `));
  assert.equal(times.length, 1, `${content} in ${received}`);
}
