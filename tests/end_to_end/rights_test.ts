/** What users of a bucket can do who may not do everything. */
import assert from "node:assert/strict";
import { feedsync, type Outcome, workspace } from "../cli/feedsync.ts";
import { type CephServer, cephServer } from "../servers/ceph.ts";
import { makeBucket } from "../servers/made_bucket.ts";
import { openStore } from "../../lib/stores/open.ts";
import { allow, type CephUser, createUser, type Statement } from "../servers/ceph_users.ts";
import {
  AccessDeniedError,
  type Config,
  connect,
  publish,
  type PublishedReceipt,
  type RequestCounts,
  watch,
} from "../../mod.ts";

const PAGE = new URL("../../docs/credentials.md", import.meta.url);
const BUCKET = "feed-sync", PREFIX = "prod";
const URL_1 = "https://example.com/1";

const ceph = await cephServer();
Deno.test.afterAll(async () => await ceph?.[Symbol.asyncDispose]());

function test(name: string, check: (ceph: CephServer) => Promise<void>): void {
  Deno.test({ name: `Ceph: ${name}`, ignore: ceph === undefined, fn: () => check(ceph!) });
}

/** The statements of the policy in docs/credentials.md, by their names, for this bucket. */
async function documentedPolicy(bucket: string): Promise<Map<string, Statement>> {
  const page = await Deno.readTextFile(PAGE);
  const [, json] = /```json\n(\{\s*"Version": "2012-10-17".*?)```/s.exec(page)!;
  const { Statement: statements } = JSON.parse(json.replaceAll(BUCKET, bucket));
  return new Map(statements.map((statement: Statement) => [statement.Sid, statement]));
}

/** The rights that docs/credentials.md says a command requires. */
async function neededRights(command: string): Promise<string[]> {
  const page = await Deno.readTextFile(PAGE);
  const row = page.split("\n").find((line) => line.startsWith(`| \`${command}\` | `))!;
  return row.split("|")[2].match(/\w+/g) ?? [];
}

/** Lets everything in the bucket look old. */
const OLD = `
const send = globalThis.fetch;
globalThis.fetch = async (...request) => {
  const { status, headers, body } = await send(...request);
  if (!headers.get("content-type")?.includes("xml")) return new Response(body, { status, headers });
  const text = await new Response(body).text();
  const old = text.replace(/<LastModified>[^<]*/g, "<LastModified>2020-01-01T00:00:00.000Z");
  return new Response(old, { status, headers });
};
`;

/** A bucket with an update in it, and a user whose rights are set. */
class Setting implements AsyncDisposable {
  readonly #user: CephUser;
  readonly #bucket: string;
  readonly #directory: Awaited<ReturnType<typeof workspace>>;

  private constructor(
    user: CephUser,
    bucket: string,
    directory: Awaited<ReturnType<typeof workspace>>,
  ) {
    [this.#user, this.#bucket, this.#directory] = [user, bucket, directory];
  }

  static async make(): Promise<Setting> {
    const bucket = `feedsync-${crypto.randomUUID()}`, directory = await workspace();
    const setting = new Setting(await createUser(ceph!), bucket, directory);
    await makeBucket(setting.config(ceph!));
    await using owner = await connect({ ...setting.config(ceph!), server: "web-1" });
    await publish(owner, { url: URL_1, content: "first" });
    return setting;
  }

  /** How to connect: as the user, unless told otherwise. */
  config(s3: CephUser["s3"] = this.#user.s3) {
    const { endpoint, region, accessKeyId, secretAccessKey } = s3;
    return {
      store: `s3://${this.#bucket}/${PREFIX}`,
      s3: { endpoint, region, accessKeyId, secretAccessKey },
    };
  }

  /** What a server reads, as the user unless told otherwise. */
  async contents(s3?: CephUser["s3"]): Promise<unknown[]> {
    const read: unknown[] = [];
    await using reader = await connect({ ...this.config(s3), server: "reader" });
    await using watcher = watch(reader, ({ content }) => void read.push(content), {
      manual: true,
    });
    await watcher.poll();
    return read;
  }

  /** The keys in the bucket that begin like this. */
  async keys(prefix: string): Promise<string[]> {
    const { store: url, s3 } = this.config(ceph!);
    await using store = await openStore(url, s3);
    return (await Array.fromAsync(store.list(prefix))).map(({ key }) => key);
  }

  /** Lets the user do what these statements of the policy in docs/credentials.md say. */
  async allow(rights: readonly string[]): Promise<void> {
    const policy = await documentedPolicy(this.#bucket);
    const statements = rights.map((right) => policy.get(right)!);
    await allow(ceph!, this.#user, this.#bucket, statements);
  }

  /** Runs the command as the user, with a state of its own unless it is named. */
  async run(
    args: readonly string[],
    { state = crypto.randomUUID(), preload, config: changes }: {
      state?: string;
      preload?: string;
      config?: Config;
    } = {},
  ): Promise<Outcome> {
    const { path } = this.#directory;
    const config = {
      ...this.config(),
      ...changes,
      server: "web-2",
      state: `${state}.db`,
      stopTimeout: "0s",
    };
    const file = `${path}/${crypto.randomUUID()}.json`;
    await Deno.writeTextFile(file, JSON.stringify(config));
    return await feedsync([...args, "--config", file], { cwd: path, stdin: "second", preload });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#directory[Symbol.asyncDispose]();
  }
}

const COMMANDS: Record<string, string[]> = {
  watch: ["watch", "--once"],
  publish: ["publish", "https://example.com/2", "-"],
  tail: ["tail", "--once"],
  "cleanup --dry-run": ["cleanup", "--dry-run"],
};

/** Commands that do something only with what is old. */
const FOR_OLD = new Set(["cleanup --dry-run"]);

for (const [command, args] of Object.entries(COMMANDS)) {
  test(`${command} can do with what docs/credentials.md says it needs, and with nothing less`, async () => {
    const needs = await neededRights(command);
    await using setting = await Setting.make();
    await using old = await workspace({ "old.ts": OLD });
    const preload = FOR_OLD.has(command) ? `${old.path}/old.ts` : undefined;
    await setting.allow(needs);
    const { code, stderr, stdout } = await setting.run(args, { preload });
    assert.equal(code, 0, stderr);
    if (["watch", "tail"].includes(command)) assert.match(stdout, /example\.com\/1/);
    for (const right of needs) {
      const rest = needs.filter((other) => other !== right);
      await setting.allow([...rest, "Delete"]);
      const { code, stderr } = await setting.run(args, { preload });
      assert.equal(code, 77, `${command} without ${right}: ${stderr}`);
      assert.match(
        stderr,
        /error: .*Access denied to the store s3:.* while (listing|reading|writing)/,
      );
      assert.match(stderr, /check what these credentials are allowed to do/);
    }
  });
}

test("an object that is gone is no refusal to who has the rights of docs/credentials.md", async () => {
  await using setting = await Setting.make();
  await setting.allow(["List", "Read"]);
  const { store: url, s3 } = setting.config();
  await using store = await openStore(url, s3);
  assert.equal(await store.get("marker"), undefined);
});

test("check tells which right of docs/credentials.md is missing, and leaves nothing behind", async () => {
  await using setting = await Setting.make();
  const all = ["List", "Write", "Read", "Delete"];
  for (const right of [undefined, ...all]) {
    await setting.allow(all.filter((other) => other !== right));
    const { code, json, stdout } = await setting.run(["check", "--json"]);
    const found = json().filter(({ check }) => check === "rights");
    const missing = found.filter(({ level }) => level !== "ok").map(({ advice }) => String(advice));
    assert.equal(code, right === undefined || right === "Delete" ? 0 : 77, `${right}: ${stdout}`);
    assert.equal(missing.length, right === undefined ? 0 : 1, JSON.stringify(found));
    if (right) {
      assert.match(missing[0], new RegExp(`^Without the right to ${right.toLowerCase()} `));
    }
    if (right === "Delete") assert.deepEqual(await setting.keys("probe"), ["probe"]);
  }
  await setting.allow(all);
  const { code, stdout } = await setting.run(["check", "--strict"]);
  assert.equal(code, 0, stdout);
  assert.deepEqual(await setting.keys("probe"), []);
});

test("check tells a missing bucket, a wrong secret and an unknown key as what they are", async () => {
  await using setting = await Setting.make();
  const { store, s3 } = setting.config();
  const mistakes: [config: Config, code: number, says: RegExp][] = [
    [
      { store: `${store}-2`.replace("/prod", ""), s3 },
      78,
      /NoSuchBucket.*make the bucket with `feedsync init`/,
    ],
    [{ store, s3: { ...s3, secretAccessKey: "x" } }, 77, /SignatureDoesNotMatch.*; check 's3.acc/],
    [
      { store, s3: { ...s3, accessKeyId: "x" } },
      77,
      /InvalidAccessKeyId.*; check 's3.accessKeyId'/,
    ],
  ];
  for (const [config, code, says] of mistakes) {
    const outcome = await setting.run(["check", "-q"], { config });
    assert.equal(outcome.code, code, outcome.stdout);
    assert.match(outcome.stdout, says);
  }
});

test("who may only read applies updates; what is published is denied, and waits", async () => {
  await using setting = await Setting.make();
  await setting.allow(["List", "Read"]);
  const state = "web-2", url = "https://example.com/2";
  const denied = await setting.run(["publish", url, "-"], { state });
  assert.equal(denied.code, 77, denied.stderr);
  assert.match(
    denied.stderr,
    /1 update is queued and safe, and uploaded when the store allows it/,
  );
  const watching = await setting.run(["watch", "--once"], { state });
  assert.equal(watching.code, 77, watching.stderr);
  assert.match(watching.stdout, /example\.com\/1/);
  await setting.allow(["List", "Read", "Write"]);
  const granted = await setting.run(["watch", "--once"], { state });
  assert.equal(granted.code, 0, granted.stderr);
  const { stdout } = await setting.run(["tail", "--once"]);
  assert.match(stdout, /example\.com\/2/);
});

test("a process that goes on uploads what was denied when it may", async () => {
  await using setting = await Setting.make();
  await setting.allow(["List", "Read"]);
  await using web2 = await connect({ ...setting.config(), server: "web-2" });
  await assert.rejects(publish(web2, { url: URL_1, content: "second" }), (error) => {
    assert.ok(error instanceof AccessDeniedError);
    assert.match(error.message, /1 update is queued in memory only/);
    return true;
  });
  await setting.allow(["List", "Read", "Write"]);
  const { seq } = await publish(web2, { url: URL_1, content: "third" }) as PublishedReceipt;
  assert.equal(seq, 2);
  assert.deepEqual((await setting.contents()).sort(), ["first", "second", "third"]);
});

test("who may not delete publishes and seals on, and tries no more often than it seals", async () => {
  await using setting = await Setting.make();
  const texts = Array.from({ length: 40 }, (_, index) => String(index).padStart(2, "0"));
  const counts: RequestCounts[] = [];
  for (const rights of [["List", "Read", "Write", "Delete"], ["List", "Read", "Write"]]) {
    await setting.allow(rights);
    await using web2 = await connect({ ...setting.config(), server: "web-2" });
    for (const content of texts) await publish(web2, { url: URL_1, content });
    counts.push({ ...web2.requests });
  }
  const [allowed, denied] = counts;
  assert.deepEqual([denied.put, denied.list], [allowed.put, allowed.list]);
  assert.equal(denied.get, 2, "one per stream, to see whether others encrypt");
  const seals = denied.put - texts.length;
  assert.ok(seals > 0 && denied.delete === 2 * seals, JSON.stringify(denied));
  const twice = texts.flatMap((text) => [text, text]);
  assert.deepEqual((await setting.contents()).sort(), [...twice, "first"]);
});

test("cleanup without the right to delete says so, and harms nothing", async () => {
  await using setting = await Setting.make();
  await using old = await workspace({ "old.ts": OLD });
  const preload = `${old.path}/old.ts`;
  await setting.allow(["List", "Read", "Write"]);
  const denied = await setting.run(["cleanup"], { preload });
  assert.equal(denied.code, 77, denied.stderr);
  assert.match(denied.stdout, /^deleted 0 objects/);
  assert.match(
    denied.stderr,
    /Cannot clean up 1 objects, .*: Access denied to the store.*deleting/,
  );
  assert.deepEqual(await setting.contents(ceph!), ["first"]);
  await setting.allow(await neededRights("cleanup"));
  const granted = await setting.run(["cleanup"], { preload });
  assert.equal(granted.code, 0, granted.stderr);
  assert.match(granted.stdout, /^deleted 1 objects/);
});
