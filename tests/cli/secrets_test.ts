/** Secrets stay where they are written: no output, file of the state or object repeats them. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { fauxqsServer } from "../servers/fauxqs.ts";
import { hangUpOnce, httpServer, type Server, unreachableEndpoint } from "../servers/http.ts";
import { freeAddress } from "../servers/ports.ts";
import { connect, publish } from "../../mod.ts";
import { openStore } from "../../lib/stores/open.ts";
import { feedsync, type Outcome, workspace } from "./feedsync.ts";
import { Running } from "./running.ts";

const COMMANDS = [
  ["publish", "https://example.com/feed.xml", "-"],
  ["watch", "--once"],
  ["tail", "--once"],
  ["cleanup"],
  ["dead-letters", "list"],
];

/** Secrets of every kind, none like any other text. */
const KEY = "Sup3rSecretKey/one+two=three4567890abcdef";
const TOKEN = "Sup3rSecretToken/one+two=three4567890abcdef";
const WAKE_TOKEN = "Sup3rSecretWakeToken/one+two=three4567890";
const PEERS = `whsec_${btoa("Sup3rSecretOfAllPeers that nobody else has")}`;
const OBJECT_KEY = "Sup3rSecretKey of all objects :)";
const NAMES_KEY = "Sup3rSecretKey for the URL names";
const SECRETS = [
  KEY,
  TOKEN,
  WAKE_TOKEN,
  PEERS,
  PEERS.slice("whsec_".length),
  atob(PEERS.slice("whsec_".length)),
  OBJECT_KEY,
  NAMES_KEY,
];

/** How each secret begins: messages may quote a part. */
const BEGINNING = "Sup3rS";

/** All forms in which a secret may show: itself, in a URL, and base64 at each offset. */
const FORMS = [BEGINNING].concat(SECRETS.flatMap((secret) => [
  secret,
  encodeURIComponent(secret),
  ...["", "x", "xx"].map((before) => btoa(before + secret).slice(4, -4)),
]));

function assertNoSecret(text: string, where: string): void {
  for (const form of FORMS) assert.ok(!text.includes(form), `${where} shows ${form}: ${text}`);
}

/** Keys of the configuration; those of `wake` are put over what it has. */
type More = Record<string, unknown> & { readonly wake?: Record<string, unknown> };

/** A working directory with a configuration; its state is looked through. */
class Setting implements AsyncDisposable {
  readonly path: string;
  readonly #directory: Awaited<ReturnType<typeof workspace>>;

  private constructor(directory: Awaited<ReturnType<typeof workspace>>) {
    [this.path, this.#directory] = [directory.path, directory];
  }

  static async make(
    endpoint: string,
    s3: Record<string, unknown>,
    { wake = {}, ...more }: More = {},
  ): Promise<Setting> {
    const config = {
      server: "web-1",
      store: "s3://feed-sync/prod",
      s3: { endpoint, region: "us-east-1", ...s3 },
      wake: { secret: PEERS, token: WAKE_TOKEN, peers: [unreachableEndpoint()], ...wake },
      encryption: { keys: "keys.jwks" },
      stopTimeout: "0s",
      ...more,
    };
    const files = {
      "feedsync.json": JSON.stringify(config),
      "keys.json": JSON.stringify({ ...PROCESS_KEYS, SecretAccessKey: KEY, SessionToken: TOKEN }),
      "keys.ini": `[default]\naws_access_key_id = id\naws_secret_access_key = ${KEY}\n` +
        `aws_session_token = ${TOKEN}\n`,
      "process.ini": `[default]\ncredential_process = /bin/sh -c "echo ${TOKEN} >&2; exit 3" ` +
        `--password ${KEY}\n`,
      "broken.json": `{ "SecretAccessKey": ${KEY}`,
      "keys.jwks": jwks(OBJECT_KEY),
      "short.jwks": jwks(OBJECT_KEY.slice(1)),
      "short-names.jwks": jwks(OBJECT_KEY, NAMES_KEY.slice(1)),
      "broken.jwks": jwks(OBJECT_KEY).slice(1),
    };
    const setting = new Setting(await workspace(files));
    for (const name of Object.keys(files)) await Deno.chmod(join(setting.path, name), 0o600);
    return setting;
  }

  /** Runs a command in all its talkativeness, and looks for secrets. */
  async run(args: readonly string[]): Promise<Outcome> {
    const outcome = await feedsync([...args, "-v"], {
      cwd: this.path,
      env: { AWS_EC2_METADATA_DISABLED: "true" },
      stdin: "content",
    });
    assertNoSecret(outcome.stdout, `the output of ${args[0]}`);
    assertNoSecret(outcome.stderr, `the log of ${args[0]}`);
    return outcome;
  }

  async searchState(): Promise<void> {
    const directory = join(this.path, ".feedsync");
    for await (const { name } of Deno.readDir(directory)) {
      const bytes = await Deno.readFile(join(directory, name));
      assertNoSecret(new TextDecoder("latin1").decode(bytes), name);
    }
  }

  async searchBucket(endpoint: string): Promise<void> {
    const keys = { region: "us-east-1", accessKeyId: "id", secretAccessKey: "secret" };
    await using store = await openStore("s3://feed-sync/prod", { endpoint, ...keys });
    for await (const { key } of store.list("")) {
      const body = await store.get(key);
      assertNoSecret(`${key} ${new TextDecoder("latin1").decode(body)}`, "the bucket");
    }
    assert.ok(store.requests.get > 0);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#directory[Symbol.asyncDispose]();
  }
}

function jwks(objects: string, names = NAMES_KEY): string {
  const [k, namesKey] = [objects, names].map((secret) =>
    btoa(secret).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "")
  );
  return JSON.stringify({
    keys: [{ kty: "oct", k, kid: "2026-01-01.abcdefgh" }],
    names: { kty: "oct", k: namesKey },
  });
}

const PROCESS_KEYS = { Version: 1, AccessKeyId: "id" };

const SOURCES: Record<string, Record<string, unknown>> = {
  "keys of the configuration": { accessKeyId: "id", secretAccessKey: KEY, sessionToken: TOKEN },
  "a file in JSON": { credentialsFile: "keys.json" },
  "a file with profiles": { credentialsFile: "keys.ini" },
};

/** A service that refuses, and repeats what it was sent, as AWS does. */
function repeatingService(code: string): Server {
  return httpServer(({ headers }) => {
    const token = headers.get("x-amz-security-token");
    const repeated = `<Token-0>${token}</Token-0><CanonicalRequest>${token}</CanonicalRequest>`;
    const body =
      `<Error><Code>${code}</Code><Message>said the service</Message>${repeated}</Error>`;
    return new Response(body, { status: 403, headers: { "content-type": "application/xml" } });
  });
}

for (const [source, s3] of Object.entries(SOURCES)) {
  Deno.test(`no secret of ${source} shows while all goes well`, async () => {
    await using service = await fauxqsServer("feed-sync");
    await using setting = await Setting.make(service.endpoint, s3);
    for (const args of COMMANDS) {
      for (const more of [[], ["--json"]]) {
        const { code, stderr } = await setting.run([...args, ...more]);
        assert.equal(code, 0, stderr);
      }
    }
    await setting.searchState();
    await setting.searchBucket(service.endpoint);
  });

  Deno.test(`no secret of ${source} shows when access is denied or the store is away`, async () => {
    await using expired = repeatingService("ExpiredToken");
    await using wrong = repeatingService("SignatureDoesNotMatch");
    for (const endpoint of [expired.endpoint, wrong.endpoint, unreachableEndpoint()]) {
      await using setting = await Setting.make(endpoint, s3, { publishTimeout: "300ms" });
      for (const args of COMMANDS.slice(0, 4)) {
        const { code, stderr } = await setting.run(args);
        assert.ok([69, 75, 77].includes(code), stderr);
      }
      await setting.searchState();
    }
  });
}

Deno.test("no secret shows in the messages about a configuration that is wrong", async () => {
  const wrong: [s3: Record<string, unknown>, more: More][] = [
    [{ accessKeyId: "id", secretAccessKey: [KEY] }, {}],
    [{ accessKeyId: "id", secretAccessKey: KEY, sessionToken: { value: TOKEN } }, {}],
    [{ secretAccessKey: KEY }, {}],
    [{ accessKeyId: "id", sessionToken: TOKEN }, {}],
    [{ accessKeyId: KEY, secretAccessKey: "" }, {}],
    [{ accessKeyId: "id", secretAccessKey: KEY, credentialsFile: "keys.json" }, {}],
    [{ credentialsFile: "broken.json" }, {}],
    [{}, { encryption: { keys: "short.jwks" } }],
    [{}, { encryption: { keys: "short-names.jwks" } }],
    [{}, { encryption: { keys: "broken.jwks" } }],
    [{}, { encryption: { keys: jwks(OBJECT_KEY) } }],
    [{}, { s3: KEY }],
    [{}, { wake: { secret: PEERS.slice("whsec_".length) } }],
    [{}, { wake: { secret: [PEERS], token: [WAKE_TOKEN] } }],
    [{}, { wake: { peers: [`https://user:${encodeURIComponent(KEY)}@web-2`] } }],
    [{}, { store: `s3://id:${KEY}@feed-sync` }],
    [{ endpoint: `https://id:${encodeURIComponent(KEY)}@localhost` }, {}],
  ];
  for (const [s3, more] of wrong) {
    await using setting = await Setting.make(unreachableEndpoint(), s3, more);
    const { code, stderr } = await setting.run(["tail", "--once"]);
    assert.ok(code === 78 || code === 77, `${JSON.stringify([s3, more])}: ${stderr}`);
  }
});

Deno.test("no secret shows of a credential_process that fails: not its command, nor what it prints", async () => {
  const s3 = { credentialsFile: "process.ini" };
  await using setting = await Setting.make(unreachableEndpoint(), s3);
  for (const more of [[], ["--json"]]) {
    const { code, stderr } = await setting.run(["tail", "--once", ...more]);
    assert.equal(code, 77, stderr);
    assert.match(stderr, /process\.ini: the command of its 'credential_process' failed; check/);
  }
});

Deno.test("a server that listens does not log the secrets that it is told", async () => {
  await using service = await fauxqsServer("feed-sync");
  const listen = freeAddress();
  const keys = SOURCES["keys of the configuration"];
  await using setting = await Setting.make(service.endpoint, keys, {
    wake: { listen },
    poll: "1h",
  });
  await using watching = new Running(["watch", "-v"], { cwd: setting.path });
  await watching.says(/Watching s3:/);
  let status: number | undefined;
  while (status === undefined) {
    const url = `http://${listen}/wake?token=${encodeURIComponent(WAKE_TOKEN)}`;
    const response = await fetch(url, { method: "POST", body: `{"wrong":"${WAKE_TOKEN}"` })
      .catch(() => undefined);
    status = response?.status;
    await response?.body?.cancel();
  }
  assert.notEqual(status, 401);
  await setting.run(["publish", "https://example.com/feed.xml", "-"]);
  watching.kill("SIGTERM");
  const { stdout, stderr } = await watching.end();
  assertNoSecret(stdout + stderr, "the log of watch");
  await setting.searchState();
});

Deno.test("the password in the URL of a feed shows in no log and no message", async () => {
  const url = "https://joe:Sup3rS-of-feed@example.com/feed.xml",
    shown = "https://joe:…@example.com/";
  await using directory = await workspace({
    "feedsync.json": JSON.stringify({ store: "file:store", plugins: ["log", "./reject.ts"] }),
    "reject.ts": `import { definePlugin, RejectedUpdateError } from "@feedsync/feedsync";
      export default definePlugin({
        name: "reject",
        onUpdate() { throw new RejectedUpdateError("It is not wanted"); },
      });`,
  });
  const run = (args: string[], options = {}) =>
    feedsync(args, { cwd: directory.path, stdin: "<rss/>", ...options });
  const published = await run(["publish", url, "-v", "--server", "web-1", "--json"]);
  assert.equal(published.json()[0].url, url);
  assertNoSecret(published.stderr, "the log of publish");
  const slips = ["https://joe:Sup3rS@exa mple.com/", "joe:Sup3rS@example.com", `${url}\t`];
  const outcomes = await Promise.all([
    run(["watch", "--once", "-v", "--server", "web-2"]),
    ...slips.map((slip) => run(["publish", slip])),
    run(["publish", url, "--json-content"]),
  ]);
  for (const { stdout, stderr } of outcomes) assertNoSecret(stdout + stderr, "a message");
  const { stdout, stderr } = outcomes[0];
  assert.ok(stdout.includes(shown) && stderr.includes(shown), stdout + stderr);
  const { stdout: letters } = await run(["dead-letters", "list", "--server", "web-2"]);
  assert.ok(letters.includes(shown), letters);
  assertNoSecret(letters, "the list of dead letters");
});

Deno.test("what a plugin's setup throws shows no secret, nor do its causes", async () => {
  const store = "file:store";
  await using setting = await Setting.make(unreachableEndpoint(), {}, {
    ...{ store, plugins: ["./careless.ts"], wake: { peers: [] }, encryption: undefined },
  });
  const url = `redis://:${encodeURIComponent(KEY)}@cache:6379/${encodeURIComponent(TOKEN)}`;
  const careless = `export default {
    name: "careless",
    setup() { throw new Error("No luck", { cause: new Error("Cannot reach ${url}") }); },
    onUpdate() {},
  };`;
  await Deno.writeTextFile(join(setting.path, "careless.ts"), careless);
  const { code, stderr } = await setting.run(["watch", "--once"]);
  assert.equal(code, 78, stderr);
  assert.match(stderr, /Cannot reach redis:\/\/cache:6379$/m);
});

Deno.test("the URL that a plugin writes to is a secret, however its receiver fails", async () => {
  const path = `/hooks/${encodeURIComponent(TOKEN)}?key=${encodeURIComponent(KEY)}`;
  await using receiver = hangUpOnce(
    `HTTP/1.1 404 Not Found\r\nContent-Length: ${path.length + 12}\r\n\r\nCannot POST ${path}`,
  );
  const url = `${receiver.endpoint}${path}`;
  const store = "file:store";
  await using setting = await Setting.make(unreachableEndpoint(), {}, {
    ...{ store, plugins: [["webhook", { url, secret: PEERS }], "./careless.ts"] },
    ...{ wake: { peers: [] }, encryption: undefined },
  });
  const careless = `export default {
    name: "careless",
    onUpdate() {
      Promise.reject(new Error("left behind at ${unreachableEndpoint()}${path}"));
      throw new Error("Cannot reach ${unreachableEndpoint()}${path}");
    },
  };`;
  await Deno.writeTextFile(join(setting.path, "careless.ts"), careless);
  await using sync = await connect({ store: `file:${join(setting.path, "store")}`, server: "b" });
  await publish(sync, { url: "https://example.com/feed.xml", content: "a" });
  const { stderr } = await setting.run(["watch", "--once"]);
  assert.match(stderr, /webhook cannot reach its backend.*: it closed the connection/);
  assert.match(stderr, /webhook cannot apply .* answered 404 to https:\/\/example\.com\/feed\.xml/);
  assert.match(stderr, /careless failed to apply .*Cannot reach http:\/\/127\.0\.0\.1:\d+$/m);
  const { stdout } = await setting.run(["dead-letters", "show"]);
  assert.equal(stdout.match(/answered 404|Cannot reach/g)?.length, 2);
  await setting.searchState();
});
