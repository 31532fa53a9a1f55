import assert from "node:assert/strict";
import { feedFileName } from "../../lib/files/feed_names.ts";
import { Scene } from "./servers.ts";

const URL = "https://user:s3cret@example.com/p.xml";
const NAME = feedFileName(URL);

Deno.test("no password of a feed is logged when its file is kept, left, gone or cannot be written", async () => {
  await using s = new Scene();
  const options = { mirrors: true, publishRemovals: true };
  await using server = await s.server("web-1", options);
  await s.publish({ url: URL, content: "v1" });
  await server.poll();
  await s.write(NAME, "mine");
  await s.publish({ url: URL, content: "v2" }, { ahead: 60_000 });
  await server.poll();
  await s.write(NAME, "");
  await server.scan();
  await s.write(NAME, "later");
  await Deno.utime(s.path(NAME), new Date(), new Date(Date.now() + 120_000));
  await s.publish({ url: URL, content: "v3" }, { ahead: 65_000 });
  await server.poll();
  await server.scan();
  await Deno.remove(s.path(NAME));
  await s.write("other.feed", "x");
  await server.scan();
  assert.ok(server.log.lines.length >= 5, server.log.lines.join("\n"));
  assert.doesNotMatch(server.log.lines.join("\n"), /s3cret/);
});
