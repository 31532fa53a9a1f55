/**
 * The S3 gateway of Ceph, for tests against a real service.
 *
 * `FEEDSYNC_TEST_CEPH` says where it comes from: the endpoint of one that runs already, in the
 * directory `FEEDSYNC_TEST_CEPH_DIRECTORY`, or `required`, with which its absence is an error.
 * Without it one is started where it is installed.
 *
 * @module
 */
import { fileURLToPath } from "node:url";
import { freePort } from "./ports.ts";

const SCRIPT = fileURLToPath(new URL("./ceph.sh", import.meta.url));

/** A gateway that runs. */
export interface CephServer extends AsyncDisposable {
  /** URL of the S3 service. */
  readonly endpoint: string;
  /** Where it runs. */
  readonly directory: string;
  /** Its region. */
  readonly region: string;
  /** Access key of a user who may create buckets. */
  readonly accessKeyId: string;
  /** Secret of that user. */
  readonly secretAccessKey: string;
  /** Runs `radosgw-admin` and returns what it prints. */
  admin(...args: string[]): Promise<string>;
  /** Starts one more gateway to the same objects, with a token service; returns its URL. */
  startTokenService(): Promise<string>;
}

/** The gateway for this test file; `undefined`, and a line that says so, where there is none. */
export async function cephServer(): Promise<CephServer | undefined> {
  const wish = Deno.env.get("FEEDSYNC_TEST_CEPH") ?? "";
  if (wish.startsWith("http")) {
    return describe(wish, Deno.env.get("FEEDSYNC_TEST_CEPH_DIRECTORY") ?? "");
  }
  if (wish === "required" || await isCephInstalled()) return await startCeph();
  console.log("skipped: Ceph (radosgw is not installed; `deno task test:ceph` installs it)");
}

/** Whether a gateway can be started. */
export async function isCephInstalled(): Promise<boolean> {
  try {
    const { success } = await new Deno.Command("radosgw", { args: ["--version"] }).output();
    return success;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** Installs what {@linkcode startCeph} needs. */
export async function installCeph(): Promise<void> {
  const { success } = await new Deno.Command(SCRIPT, { args: ["install"] }).spawn().status;
  if (!success) throw new Error("Cannot install Ceph, see above");
}

/** Starts a gateway. It ends with this process, however that ends. */
export async function startCeph(): Promise<CephServer> {
  const directory = await Deno.makeTempDir({ prefix: "feedsync-ceph-" });
  const ports = [freePort(), freePort()].map(String);
  const child = new Deno.Command(SCRIPT, {
    args: ["run", directory, ...ports],
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const problems = new Response(child.stderr).text();
  const endpoint = await firstLine(child.stdout);
  const stop = async () => {
    await child.stdin.close();
    await child.status;
    await problems;
  };
  if (endpoint === undefined) {
    await stop();
    throw new Error(
      `Cannot start Ceph: ${(await problems).trim().split("\n").slice(-5).join("\n")}`,
    );
  }
  return { ...describe(endpoint, directory), [Symbol.asyncDispose]: stop };
}

function describe(endpoint: string, directory: string): CephServer {
  return {
    endpoint,
    directory,
    region: "us-east-1",
    accessKeyId: "devaccess",
    secretAccessKey: "devsecret",
    async admin(...args) {
      const command = new Deno.Command(SCRIPT, { args: ["admin", directory, ...args] });
      const { success, stdout, stderr } = await command.output();
      if (!success) throw new Error(`radosgw-admin failed: ${new TextDecoder().decode(stderr)}`);
      return new TextDecoder().decode(stdout);
    },
    async startTokenService() {
      const child = new Deno.Command(SCRIPT, {
        args: ["sts", directory, String(freePort())],
        stdout: "piped",
        stderr: "null",
      }).spawn();
      const url = await firstLine(child.stdout);
      await child.status;
      if (url === undefined) throw new Error("Cannot start Ceph's token service");
      return url;
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

async function firstLine(stream: ReadableStream<Uint8Array>): Promise<string | undefined> {
  let text = "";
  for await (const chunk of stream.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    if (text.includes("\n")) return text.split("\n")[0];
  }
}
