import assert from "node:assert/strict";
import { BackendUnavailableError } from "../../lib/errors.ts";
import { feedFileName } from "../../lib/files/feed_names.ts";
import { Scene } from "./servers.ts";

const URL = "https://example.com/feed.xml";
const NAME = feedFileName(URL);

/** A mirror that has written v1, and whose disk is away. */
async function withoutDisk(s: Scene): Promise<void> {
  await using server = await s.server("web-1", { mirrors: true });
  await s.publish({ url: URL, content: "v1" });
  await server.poll();
  await Deno.rename(s.directory, `${s.root}/disk`);
  await s.publish({ url: URL, content: "v2" });
}

async function assertWaiting(s: Scene): Promise<void> {
  await using server = await s.server("web-1", { mirrors: true });
  await assert.rejects(server.poll(), (error) => {
    assert.ok(error instanceof BackendUnavailableError);
    assert.match(error.message, /updates wait until its disk is mounted.*'\.feedsync-new'/);
    return true;
  });
}

Deno.test("updates wait while the disk of a mirror is away, and are applied once it is back", async () => {
  await using s = new Scene();
  await withoutDisk(s);
  await assertWaiting(s);
  await Deno.mkdir(s.directory);
  await assertWaiting(s);
  assert.deepEqual(await s.names(), []);
  await Deno.remove(s.directory);
  await Deno.rename(`${s.root}/disk`, s.directory);
  await using server = await s.server("web-1", { mirrors: true });
  await server.poll();
  assert.equal(await s.read(NAME), "v2");
});

Deno.test("a mirror fills a directory anew when a person says so", async () => {
  await using s = new Scene();
  await withoutDisk(s);
  await Deno.mkdir(s.directory);
  await s.write(".feedsync-new", "");
  for (let i = 0; i < 2; i++) {
    await using server = await s.server("web-1", { mirrors: true });
    await server.poll();
    assert.equal(await s.read(NAME), "v2");
    await s.publish({ url: "https://example.com/more", content: "more" });
  }
  assert.ok(!(await s.names()).includes(".feedsync-new"));
});

Deno.test("a mirror that has written to a directory before takes the file system's word for its times", async () => {
  await using s = new Scene();
  {
    await using files = await s.server("files");
    await s.write(NAME, "v1");
    await files.poll();
    assert.equal((await files.scan()).published, 1);
    await using mirror = await s.server("mirror", { mirrors: true });
    await mirror.poll();
  }
  await s.publish({ url: URL, content: "v2" });
  await Deno.writeTextFile(`${s.root}/brought`, "v3");
  await Deno.utime(`${s.root}/brought`, 1_000, 1_000);
  await Deno.rename(`${s.root}/brought`, s.path(NAME));
  await using mirror = await s.server("mirror", { mirrors: true });
  await mirror.poll();
  assert.equal(await s.read(NAME), "v3");
});
