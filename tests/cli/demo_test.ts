import assert from "node:assert/strict";
import { start, workspace } from "./feedsync.ts";

/** What must not disturb the demo. */
const AMBIENT = { FEEDSYNC_STORE: "s3://elsewhere/x", FEEDSYNC_POLL: "1h", FEEDSYNC_NONSENSE: "1" };

/** Should the demo not end by itself: milliseconds. */
const SAFETY_NET = 60_000;

/** Starts the demo with a directory of its own for temporary files. */
async function startDemo(...args: string[]) {
  const temporary = await workspace();
  const cwd = await workspace({ "feedsync.json": '{ "stroe": ' });
  const TMPDIR = temporary.path;
  const process = start(["demo", ...args], {
    cwd: cwd.path,
    env: { ...AMBIENT, TMPDIR, TMP: TMPDIR, TEMP: TMPDIR },
  });
  await process.stdin.close();
  const timer = setTimeout(() => process.kill("SIGKILL"), SAFETY_NET);
  return {
    process,
    /** Names of what is still there of the demo: files, and processes where the system tells. */
    async remains() {
      return [...await names(TMPDIR), ...await processesIn(TMPDIR)];
    },
    async [Symbol.asyncDispose]() {
      clearTimeout(timer);
      await temporary[Symbol.asyncDispose]();
      await cwd[Symbol.asyncDispose]();
    },
  };
}

async function names(directory: string): Promise<string[]> {
  return (await Array.fromAsync(Deno.readDir(directory))).map(({ name }) => name);
}

/** Ids of the processes whose working directory is, or was, in `directory`. */
async function processesIn(directory: string): Promise<string[]> {
  if (Deno.build.os !== "linux") return [];
  const ids = (await names("/proc")).filter((name) => /^\d+$/.test(name));
  const inside = await Promise.all(ids.map(async (id) => {
    const cwd = await Deno.readLink(`/proc/${id}/cwd`).catch(() => "");
    return cwd.startsWith(directory);
  }));
  return ids.filter((_, index) => inside[index]);
}

Deno.test("the demo shows every update arrive in order, and leaves nothing behind", async () => {
  await using demo = await startDemo();
  const { code, stdout, stderr } = await demo.process.output();
  const text = new TextDecoder().decode(stdout);
  assert.equal(code, 0, text + new TextDecoder().decode(stderr));
  assert.match(text, /web-3 is killed\n/);
  assert.match(text, /web-2 applied update 1: "Grüße vom Gletscher", \d+ ms after it was saved\n/);
  assert.match(
    text,
    /\nserver +updates +saved→applied +published→applied +PUT +GET +LIST +DELETE\n/,
  );
  assert.match(text, /\nweb-1 +10 published +– +– +\d+ +\d+ +\d+ +\d+\n/);
  assert.match(text, /\nweb-2 +10 applied +\d+ \/ \d+ ms +\d+ \/ \d+ ms +\d+ +\d+ +\d+ +\d+\n/);
  assert.match(text, /\nweb-3 +10 applied +\d+ \/ \d+ ms +\d+ \/ \d+ ms +\d+ +\d+ +\d+ +\d+\n/);
  assert.match(
    text,
    /\nEvery server applied every update, exactly in order\.\n\nfeedsync status\n/,
  );
  assert.match(text, /\nAll is well: 3 servers\n/);
  assert.match(text, /\nweb-3 +\d+ s ago +[^\n]+\n$/);
  assert.equal(text.includes("\x1b"), false);
  assert.deepEqual(await demo.remains(), []);
});

Deno.test("the demo, stopped while its servers run, leaves nothing behind", async () => {
  await using demo = await startDemo("--json");
  const { process } = demo;
  const output = process.stdout.pipeThrough(new TextDecoderStream());
  for await (const part of output.values({ preventCancel: true })) {
    if (part.includes('"applied"')) break;
  }
  process.kill("SIGTERM");
  const [{ code }] = await Promise.all([
    process.status,
    Array.fromAsync(output),
    process.stderr.cancel(),
  ]);
  assert.equal(code, 143);
  assert.deepEqual(await demo.remains(), []);
});

Deno.test("demo --json ends with what each server came to, and the status of all", async () => {
  await using demo = await startDemo("--json");
  const { code, stdout } = await demo.process.output();
  const events = new TextDecoder().decode(stdout).trim().split("\n").map((line) =>
    JSON.parse(line)
  );
  assert.equal(code, 0);
  const { event, ok, updates, servers } = events.at(-2);
  assert.deepEqual([event, ok, updates], ["result", true, 10]);
  assert.deepEqual(
    servers.map(({ server, published, applied, problems }: Record<string, unknown>) => [
      server,
      published,
      applied,
      problems,
    ]),
    [["web-1", 10, 0, []], ["web-2", 0, 10, []], ["web-3", 0, 10, []]],
  );
  const status = events.at(-1);
  assert.equal(status.event, "status");
  assert.deepEqual(
    status.servers.map(({ server, state }: Record<string, unknown>) => [server, state]),
    [["web-1", "running"], ["web-2", "running"], ["web-3", "running"]],
  );
});

Deno.test("the demo takes no store, since it makes its own", async () => {
  await using demo = await startDemo("--store", "file:mine");
  const { code, stderr } = await demo.process.output();
  assert.equal(code, 64);
  assert.match(new TextDecoder().decode(stderr), /^error: Cannot use --store with demo: /);
});
