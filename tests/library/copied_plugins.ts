/**
 * A program in a project of its own that uses copies of the built-in plugins, which lie beside it: see
 * copied_plugins_test.ts. It prints what became of one update.
 *
 * @module
 */
import { connect, publish, watch } from "@feedsync/feedsync";

const URL = "https://example.com/feed.xml", CONTENT = "<rss></rss>";

const received = Promise.withResolvers<Record<string, string>>();
await using receiver = Deno.serve({ port: 0, onListen() {} }, async (request) => {
  received.resolve(await request.json());
  return new Response(null, { status: 204 });
});

const store = `file:${Deno.cwd()}/store`, secret = `whsec_${btoa("x".repeat(24))}`;
await using web1 = await connect({ store, server: "web-1" });
await using web2 = await connect({
  store,
  server: "web-2",
  plugins: [
    "./log.ts",
    ["./mirror.ts", { directory: "./feeds" }],
    ["./sqlite.ts", { path: "./feeds.db" }],
    ["./webhook.ts", { url: `http://localhost:${receiver.addr.port}/`, secret }],
    ["./exec.ts", { command: ["sh", "-c", 'cat > "exec.json"'] }],
  ],
});
await publish(web1, { url: URL, content: CONTENT });
await using watcher = watch(web2, undefined, { manual: true });
const { applied, failed } = await watcher.poll();
console.log(JSON.stringify({ applied, failed, webhook: (await received.promise).content }));
