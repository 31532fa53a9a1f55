/** The examples of how a server is run as a service. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { feedsync, workspace } from "../cli/feedsync.ts";

const SERVICE = join(import.meta.dirname!, "..", "..", "examples", "service");

/** Exposure by which `systemd-analyze security` calls a unit "OK" or better. */
const MAX_EXPOSURE = 2;

const hasSystemd = await isInstalled("systemd-analyze");
if (!hasSystemd) console.log("skipped: feedsync.service (systemd-analyze is not installed)");

async function isInstalled(program: string): Promise<boolean> {
  try {
    return (await new Deno.Command(program, { args: ["--version"] }).output()).success;
  } catch {
    return false;
  }
}

async function analyze(...args: string[]): Promise<{ code: number; text: string }> {
  const { code, stdout, stderr } = await new Deno.Command("systemd-analyze", { args }).output();
  const decoder = new TextDecoder();
  return { code, text: decoder.decode(stdout) + decoder.decode(stderr) };
}

Deno.test({
  name: "systemd finds nothing wrong with the unit, and little that it exposes",
  ignore: !hasSystemd,
  async fn() {
    const unit = await Deno.readTextFile(join(SERVICE, "feedsync.service"));
    await using directory = await workspace({
      // The executable need not be here.
      "feedsync.service": unit.replace("/usr/local/bin/feedsync", Deno.execPath()),
    });
    const path = join(directory.path, "feedsync.service");
    assert.deepEqual(await analyze("verify", path), { code: 0, text: "" });
    const { text } = await analyze("security", "--offline=true", "--no-pager", path);
    const exposure = Number(/exposure level for feedsync\.service: ([\d.]+)/.exec(text)?.[1]);
    assert.ok(exposure <= MAX_EXPOSURE, text);
  },
});

/** The instructions of the Containerfile, continued lines joined. */
async function containerfile(): Promise<{ env: Record<string, string>; args: string[] }> {
  const lines = (await Deno.readTextFile(join(SERVICE, "Containerfile"))).split("\n");
  const valuesOf = (instruction: string) =>
    lines.filter((line) => line.startsWith(`${instruction} `))
      .map((line) => line.slice(instruction.length + 1));
  const env = Object.fromEntries(
    valuesOf("ENV").map((line) => line.split("=") as [string, string]),
  );
  const [program, ...args] = [...valuesOf("ENTRYPOINT"), ...valuesOf("CMD")]
    .flatMap((line) => JSON.parse(line) as string[]);
  assert.equal(program, "feedsync");
  return { env, args };
}

Deno.test("the container's command line keeps state and name in the next container", async () => {
  const { env, args } = await containerfile();
  const config = { store: "file:store", plugins: ["log"] };
  await using tree = await workspace({ "feedsync.json": JSON.stringify(config) });
  const inTree = (path: string) => path.replace(/^\/(var\/lib|etc)/, tree.path);
  await Deno.mkdir(inTree("/var/lib/feedsync"));
  const state = inTree(env.FEEDSYNC_STATE);
  assert.notEqual(state, env.FEEDSYNC_STATE);
  const run = (args: string[], stdin = "") =>
    feedsync(args.map(inTree), {
      cwd: tree.path,
      stdin,
      env: { FEEDSYNC_STATE: state, FEEDSYNC_SERVER: "web-1", HOSTNAME: crypto.randomUUID() },
    });
  const configuration = args.slice(args.indexOf("--config"));
  for (const content of ["a", "b"]) {
    const published = await run(["publish", "https://example.com/", ...configuration], content);
    assert.equal(published.code, 0, published.stderr);
    const { code, stderr } = await run([...args, "--once"]);
    assert.equal(code, 0, stderr);
  }
  const tail = await run(["tail", "--once", ...configuration]);
  assert.deepEqual(tail.json().map(({ server, seq }) => [server, seq]), [["web-1", 1], [
    "web-1",
    2,
  ]]);
});
