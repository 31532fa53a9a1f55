import assert from "node:assert/strict";
import { feedFileName } from "../../lib/files/feed_names.ts";
import { feedsync, start, workspace } from "../cli/feedsync.ts";
import { onEveryStore, type TestStore } from "./stores.ts";

const LATIN1 = new Uint8Array([0x3c, 0x72, 0x3e, 0xe4, 0xf6, 0xfc, 0x3c, 0x2f, 0x72, 0x3e]);

/** A running `feedsync watch --json`; its updates are read as they come. */
class WatchProcess {
  readonly #process: Deno.ChildProcess;
  readonly #updates: AsyncGenerator<{ content: unknown; url: string }>;
  readonly #errors: Promise<string>;

  constructor(args: string[], options: { cwd: string; env: Record<string, string> }) {
    this.#process = start(["watch", "--json", ...args], options);
    this.#process.stdin.close();
    this.#updates = linesOf(this.#process.stdout);
    this.#errors = new Response(this.#process.stderr).text();
  }

  /** The contents of the next updates. */
  async next(count: number): Promise<unknown[]> {
    const contents: unknown[] = [];
    while (contents.length < count) {
      const { value, done } = await this.#updates.next();
      if (done) throw new Error(`It ended after ${contents.length}: ${await this.#errors}`);
      contents.push(value.content);
    }
    return contents;
  }

  async stop(signal: Deno.Signal): Promise<number> {
    this.#process.kill(signal);
    const { code } = await this.#process.status;
    await this.#updates.return(undefined);
    await this.#errors;
    return code;
  }
}

async function* linesOf(stream: ReadableStream<Uint8Array>) {
  let rest = "";
  for await (const text of stream.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + text).split("\n");
    rest = lines.pop()!;
    for (const line of lines) yield JSON.parse(line);
  }
}

function environmentOf({ config: { store, s3 } }: TestStore): Record<string, string> {
  const env: Record<string, string> = { FEEDSYNC_STORE: store, FEEDSYNC_POLL: "100ms" };
  if (s3?.endpoint) {
    env.FEEDSYNC_S3_ENDPOINT = s3.endpoint;
    env.FEEDSYNC_S3_REGION = s3.region!;
    env.AWS_ACCESS_KEY_ID = s3.accessKeyId!;
    env.AWS_SECRET_ACCESS_KEY = s3.secretAccessKey!;
  }
  return env;
}

onEveryStore(
  "watch applies what publish publishes, and catches up after SIGKILL",
  async (store) => {
    await using home = await workspace();
    const options = { cwd: home.path, env: environmentOf(store) };
    const publish = async (content: string) => {
      const args = ["publish", "https://example.com/", "--server", "web-1"];
      const { code, stderr } = await feedsync(args, { ...options, stdin: content });
      assert.equal(code, 0, stderr);
    };
    const first = new WatchProcess(["--server", "web-2"], options);
    await publish("a");
    await publish("b");
    assert.deepEqual(await first.next(2), ["a", "b"]);
    await first.stop("SIGKILL");
    await publish("c");
    await publish("d");
    const second = new WatchProcess(["--server", "web-2"], options);
    const contents = await second.next(2);
    // The cursor of "b" may not have been stored yet when the process was killed.
    if (contents[0] === "b") contents.splice(0, 1, ...contents.splice(1), ...await second.next(1));
    assert.deepEqual(contents, ["c", "d"]);
    assert.equal(await second.stop("SIGTERM"), 0);
  },
);

onEveryStore("a feed file arrives byte for byte in the mirror of another server", async (store) => {
  await using home = await workspace({
    "web-2.json": JSON.stringify({ plugins: [["mirror", { directory: "./mirror" }]] }),
  });
  const options = { cwd: home.path, env: environmentOf(store) };
  const url = "https://example.com/feed.xml?q=%C3%A4";
  await Deno.mkdir(`${home.path}/feeds`);
  await Deno.writeFile(`${home.path}/feeds/${feedFileName(url)}`, LATIN1);
  await Deno.writeFile(`${home.path}/feeds/https___example.org_atom.xml.feed`, LATIN1);
  const watch1 = ["watch", "--once", "--server", "web-1", "--files", "feeds"];
  assert.equal((await feedsync(watch1, options)).code, 0);
  const watch2 = ["watch", "--once", "--server", "web-2", "--config", "web-2.json"];
  assert.equal((await feedsync(watch2, options)).code, 0);
  for (const mirrored of [new URL(url).href, "https://example.org/atom.xml"]) {
    const bytes = await Deno.readFile(`${home.path}/mirror/${feedFileName(mirrored)}`);
    assert.deepEqual(bytes, LATIN1);
  }
});
