/** What the commands may do: as little as docs/running.md says. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { feedFileName } from "../../lib/files/feed_names.ts";
import { onEveryStore, type TestStore } from "../end_to_end/stores.ts";
import { type Outcome, workspace } from "./feedsync.ts";

const ROOT = join(import.meta.dirname!, "..", "..");

/** The flags that docs/running.md gives, for this store, and for feeds in the directory `home`. */
async function flagsFor({ config }: TestStore, home: string): Promise<string[]> {
  const page = await Deno.readTextFile(join(ROOT, "docs", "running.md"));
  const [, flags] = /deno run (--no-prompt[^`]*?) cli\.ts watch/.exec(page)!;
  const host = config.s3 ? new URL(config.s3.endpoint!).host : "nobody.invalid";
  return flags.split(/[\s\\]+/).map((flag) =>
    flag.replace("us-east-1.linodeobjects.com", host)
      .replaceAll("/var/lib/feeds", join(home, "feeds"))
      .replace("--allow-read=.", `--allow-read=${home},${ROOT}`)
      // A store in a directory is written, too.
      .replace(".feedsync", join(home, ".feedsync"))
  );
}

/** Runs the command line with nothing but these permissions, and no other environment. */
async function run(
  args: string[],
  { flags, store, cwd, stdin = "" }: {
    flags: string[];
    store: TestStore;
    cwd: string;
    stdin?: string;
  },
): Promise<Pick<Outcome, "code" | "stdout" | "stderr">> {
  const { store: url, s3 } = store.config;
  const process = new Deno.Command(Deno.execPath(), {
    args: ["run", "--config", join(ROOT, "deno.json"), ...flags, join(ROOT, "cli.ts"), ...args],
    cwd,
    clearEnv: true,
    env: {
      HOME: Deno.env.get("HOME") ?? "",
      PATH: Deno.env.get("PATH") ?? "",
      NO_COLOR: "1",
      FEEDSYNC_STORE: s3 ? url : "file:.feedsync/store",
      ...s3 && {
        FEEDSYNC_S3_ENDPOINT: s3.endpoint!,
        AWS_ACCESS_KEY_ID: s3.accessKeyId!,
        AWS_SECRET_ACCESS_KEY: s3.secretAccessKey!,
      },
    },
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const writing = new Blob([stdin]).stream().pipeTo(process.stdin).catch(() => {});
  const [{ code, stdout, stderr }] = await Promise.all([process.output(), writing]);
  const [out, err] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
  return { code, stdout: out, stderr: err };
}

const PLUGINS = [["mirror", { directory: "feeds" }], ["sqlite", { path: "feeds/feeds.db" }], "log"];

onEveryStore("publish, watch, tail and cleanup need no more than the docs say", async (store) => {
  await using home = await workspace({
    "feedsync.json": JSON.stringify({ files: { directory: "feeds" }, plugins: PLUGINS }),
  });
  await Deno.mkdir(join(home.path, "feeds"));
  await Deno.writeTextFile(join(home.path, "feeds", "https___example.org_a.feed"), "from a file");
  const options = { flags: await flagsFor(store, home.path), store, cwd: home.path };
  const url = "https://example.com/feed.xml";
  const runs: [string[], string][] = [
    [["publish", url, "--server", "web-1"], "published"],
    [["watch", "--once", "--server", "web-2"], url],
    [["watch", "--once", "--json", "--server", "web-3"], "from a file"],
    [["tail", "--once"], "from a file"],
    [["cleanup", "--dry-run"], "would delete 0 objects"],
    [["dead-letters", "list", "--server", "web-2"], ""],
    [["keygen", ".feedsync/keys.json"], "wrote"],
    [["keygen", "--add", ".feedsync/keys.json"], "added"],
  ];
  for (const [args, printed] of runs) {
    const { code, stdout, stderr } = await run(args, { ...options, stdin: "<rss/>" });
    assert.equal(code, 0, `${args.join(" ")}: ${stderr}`);
    assert.ok(stdout.includes(printed), `${args.join(" ")}: ${stdout}`);
    assert.doesNotMatch(stderr, /Requires|--allow/);
  }
  const mirrored = join(home.path, "feeds", feedFileName(url));
  assert.equal(await Deno.readTextFile(mirrored), "<rss/>");
});

Deno.test("what a plugin may not do it says at the start, not with every update", async () => {
  const store = { config: { store: "file:store" } };
  const plugins: [unknown, RegExp][] = [
    [["exec", { command: ["./run.sh"] }], /it needs --allow-run=.*run\.sh/],
    [["exec", { command: ["sh"] }], /Requires read access/],
    [
      ["webhook", {
        url: "https://example.com/x",
        secret: `whsec_${btoa("a secret of a webhook!!!")}`,
      }],
      /it needs --allow-net=example\.com/,
    ],
    [["mirror", { directory: "elsewhere" }], /write access/],
    [["sqlite", { path: "elsewhere/feeds.db" }], /write access/],
  ];
  for (const [plugin, message] of plugins) {
    await using home = await workspace({ "feedsync.json": JSON.stringify({ plugins: [plugin] }) });
    await Deno.writeTextFile(join(home.path, "run.sh"), "#!/bin/sh\n", { mode: 0o755 });
    const flags = await flagsFor(store, home.path);
    const args = ["watch", "--once", "--server", "web-1"];
    const { code, stderr } = await run(args, { flags, store, cwd: home.path });
    assert.equal(code, 78, stderr);
    assert.match(stderr, message);
  }
});

Deno.test("watch serves the API with the permissions that the docs say", async () => {
  await using home = await workspace();
  const socket = join(home.path, ".feedsync", "api.sock");
  for (
    const [listen, net] of [["127.0.0.1:0", "127.0.0.1:0"], [`unix:${socket}`, `unix:${socket}`]]
  ) {
    const store = { config: { store: "file:store" } };
    const flags = (await flagsFor(store, home.path))
      .map((flag) => flag.startsWith("--allow-net=") ? `--allow-net=${net}` : flag);
    const config = { server: "web-1", store: "file:.feedsync/store", plugins: [], api: { listen } };
    await Deno.writeTextFile(join(home.path, "feedsync.json"), JSON.stringify(config));
    const process = new Deno.Command(Deno.execPath(), {
      args: ["run", "--config", join(ROOT, "deno.json"), ...flags, join(ROOT, "cli.ts"), "watch"],
      cwd: home.path,
      clearEnv: true,
      env: { HOME: Deno.env.get("HOME") ?? "", PATH: Deno.env.get("PATH") ?? "", NO_COLOR: "1" },
      stdout: "null",
      stderr: "piped",
    }).spawn();
    let said = "";
    for await (const text of process.stderr.pipeThrough(new TextDecoderStream())) {
      if (!said.includes("Serving the API") && (said + text).includes("Serving the API")) {
        process.kill("SIGTERM");
      }
      said += text;
    }
    await process.status;
    assert.match(said, /Serving the API/);
    assert.doesNotMatch(said, /Requires|--allow/);
  }
});
