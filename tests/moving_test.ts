/** Every section of docs/moving.md, as it is written there, with real processes and stores. */
import assert from "node:assert/strict";
import { workspace } from "./cli/feedsync.ts";
import { Machine, sectionsOf } from "./machine.ts";
import { type FauxqsServer, fauxqsServer } from "./servers/fauxqs.ts";

const blocksOf = await sectionsOf("moving.md");
const HOME = "/var/lib/feedsync";
const [OLD_ENDPOINT, NEW_ENDPOINT] = ["us-east-1", "eu-central-1"]
  .map((region) => `https://${region}.linodeobjects.com`);

const hasAws = await new Deno.Command("aws", {
  args: ["--version"],
  stdout: "null",
  stderr: "null",
})
  .output().then(({ success }) => success, () => false);
if (!hasAws) console.log("The copy of a bucket is not tested: there is no `aws` on this machine");

Deno.test("the state is shown, without being changed", async () => {
  await using web1 = await Machine.make();
  await web1.publish("a");
  const files = () => [...Deno.readDirSync(web1.path(".feedsync"))].map(({ name }) => name).sort();
  const before = [files(), await Deno.readFile(web1.path(".feedsync/web-1.db"))];
  const [block] = blocksOf("# Moving, renaming, restoring");
  assert.match(await web1.run(block), /^server +web-1\n.*^queue +0 updates queued$/ms);
  assert.deepEqual([files(), await Deno.readFile(web1.path(".feedsync/web-1.db"))], before);
});

Deno.test("a backup that is restored lacks nothing in the end, and the lost file is uploaded", async () => {
  const [backUp] = blocksOf("Backing up"), [restore, uploadLost] = blocksOf("Restoring a backup");
  await using web1 = await Machine.make();
  await web1.start();
  await web1.publish("before");
  await web1.run(backUp);
  await web1.publish("after");
  await web1.stop();
  await web1.queue("queued");
  await web1.run(restore);
  await web1.publish("later");
  assert.match(await web1.stop(), /example\.com\/after/, "its own updates since are read");
  assert.deepEqual(await web1.contents(), ["after", "before", "later"]);
  assert.equal((await web1.state("--state", "lost/web-1.db")).queued, 1);
  await web1.run(uploadLost);
  assert.deepEqual(await web1.contents(), ["after", "before", "later", "queued"]);
});

Deno.test("without a backup the server begins with a new state, and receives every feed", async () => {
  const [restore] = blocksOf("Restoring a backup");
  await using web1 = await Machine.make();
  await web1.publish("a");
  const block = restore.split("\n").filter((line) => !/^(cp|feedsync) /.test(line)).join("\n");
  assert.notEqual(block, restore);
  await web1.run(block);
  assert.match(await web1.stop(), /example\.com\/a/);
});

Deno.test("a server moves to another machine, with what is queued", async () => {
  const [leave, arrive] = blocksOf("Moving a server to another machine");
  await using store = await workspace();
  const config = { store: `file:${store.path}/store` };
  await using old = await Machine.make(config);
  await using other = await Machine.make({ server: "not-copied" });
  await old.start();
  await old.publish("a");
  await old.stop();
  await old.queue("queued", `${store.path}/store`);
  const { stream } = await old.state();
  await old.run(leave, { [HOME]: other.path() });
  await other.run(arrive);
  assert.deepEqual(await other.contents(), ["a", "queued"]);
  await other.publish("b");
  await other.stop();
  assert.equal((await other.state()).stream, stream, "it is no fork");
  assert.deepEqual(await other.contents(), ["a", "b", "queued"]);
});

Deno.test("a server gets another name, under which it publishes what was queued", async () => {
  const [rename] = blocksOf("Renaming a server");
  await using web1 = await Machine.make({ api: { listen: "127.0.0.1:0" } });
  await web1.start();
  await web1.publish("a");
  await web1.stop();
  const token = await Deno.readTextFile(web1.path(".feedsync/web-1.token"));
  await web1.queue("queued");
  await web1.run(rename);
  await web1.publish("b");
  await web1.stop();
  const published = (await web1.published()).map(({ content, server }) =>
    `${content} of ${server}`
  );
  assert.deepEqual(published.sort(), ["a of web-1", "b of web-9", "queued of web-9"]);
  assert.equal(await Deno.readTextFile(web1.path(".feedsync/web-9.token")), token);
  const left = [...Deno.readDirSync(web1.path(".feedsync"))].map(({ name }) => name);
  assert.deepEqual(left.filter((name) => name.startsWith("web-1")), []);
});

/** The blocks about moving a store, to copy it and without. */
function storeBlocks() {
  const [stop, copyBucket, copyDirectory, follow] = blocksOf("Moving the store");
  return { stop, copyBucket, copyDirectory, follow };
}

Deno.test("a server goes with its store to another directory, with what is queued", async () => {
  const { stop, copyDirectory, follow } = storeBlocks();
  await using home = await workspace();
  const places = { "/mnt/": `${home.path}/mnt/`, "us-east-1": "old", "eu-central-1": "new" };
  await using web1 = await Machine.make({ store: `file:${home.path}/mnt/old/store` });
  await web1.start();
  await web1.publish("a");
  await web1.run(stop);
  await web1.queue("queued", `${home.path}/mnt/old/store`);
  await Deno.mkdir(`${home.path}/mnt/new`);
  const { stream } = await web1.state();
  await assert.rejects(
    web1.run(follow, places),
    /lacks something that was in its store: It is empty/,
  );
  await web1.run(copyDirectory, places);
  await web1.run("sed -i s/new/old/ feedsync.json");
  await web1.run(follow, places);
  await web1.publish("b");
  await web1.stop();
  await Deno.remove(`${home.path}/mnt/old`, { recursive: true });
  assert.deepEqual(await web1.contents(), ["a", "b", "queued"]);
  assert.equal((await web1.state()).stream, stream, "it is continued");
});

function s3Config({ region, endpoint }: FauxqsServer) {
  return {
    store: "s3://feed-sync/prod",
    s3: { region, endpoint, accessKeyId: "test", secretAccessKey: "test" },
  };
}

Deno.test("a server goes with its bucket to another service", { ignore: !hasAws }, async () => {
  const { stop, copyBucket, follow } = storeBlocks();
  await using old = await fauxqsServer("feed-sync");
  await using other = await fauxqsServer();
  const [from, to] = [old, other].map(({ endpoint }) => new URL(endpoint).port);
  const places = {
    ...{ [OLD_ENDPOINT]: old.endpoint, [NEW_ENDPOINT]: other.endpoint },
    ...{ "us-east-1": from, "eu-central-1": to },
  };
  await using web1 = await Machine.make(s3Config(old));
  await web1.start();
  await web1.publish("a");
  await web1.run(stop);
  await web1.run(copyBucket, places);
  await web1.run(follow, places);
  await web1.publish("b");
  await web1.stop();
  assert.deepEqual(await web1.contents(), ["a", "b"]);
  assert.equal((await web1.state()).service, new URL(other.endpoint).host);
});

Deno.test("a damaged state is told", async () => {
  const [check] = blocksOf("A damaged state");
  await using web1 = await Machine.make();
  await web1.publish("a");
  assert.match(await web1.run(check), /web-1\.db is sound/);
  using file = await Deno.open(web1.path(".feedsync/web-1.db"), { write: true });
  await file.seek(20_000, Deno.SeekMode.Start);
  await file.write(new Uint8Array(60_000).fill(0xff));
  await assert.rejects(web1.run(check), /web-1\.db is damaged: stop feedsync, check the disk/);
});
