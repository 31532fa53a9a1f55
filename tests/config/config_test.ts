import assert from "node:assert/strict";
import { join } from "node:path";
import type { Config } from "../../lib/config/config.ts";
import { resolveConfig } from "../../lib/config/resolve.ts";
import type { S3Config } from "../../lib/config/s3.ts";
import { ConfigError } from "../../lib/errors.ts";
import { captureLog } from "../encryption/keys.ts";

const DIRECTORY = Deno.build.os === "windows" ? "C:\\feeds" : "/feeds";

/** What `resolveConfig()` says about a configuration that the types do not allow, too. */
function problemOf(config: unknown): string {
  try {
    resolveConfig(config as Config);
  } catch (error) {
    assert.ok(error instanceof ConfigError, String(error));
    return error.message;
  }
  throw new Error(`accepted: ${JSON.stringify(config)}`);
}

Deno.test("what is undefined is as good as absent, wherever it is", () => {
  const given = {
    server: "web-1",
    files: { directory: "feeds" },
    encryption: { keys: "keys.json" },
    s3: { endpoint: "http://localhost", assumeRole: { roleArn: "arn:x" } },
  };
  const filled = {
    ...given,
    store: undefined,
    poll: undefined,
    retention: undefined,
    plugins: undefined,
    stopTimeout: undefined,
    files: { ...given.files, settle: undefined, rescan: undefined, publishRemovals: undefined },
    encryption: { ...given.encryption, allowPlaintext: undefined },
    s3: {
      ...given.s3,
      assumeRole: { ...given.s3.assumeRole, sessionName: undefined, duration: undefined },
    },
  };
  const options = { directory: DIRECTORY };
  const json = (value: unknown) => JSON.parse(JSON.stringify(value));
  assert.deepEqual(json(resolveConfig(filled, options)), json(resolveConfig(given, options)));
});

Deno.test("resolveConfig() fills in everything", () => {
  const { server, ...resolved } = resolveConfig({}, { directory: DIRECTORY });
  assert.ok(server.length > 0);
  assert.deepEqual(resolved, {
    directory: DIRECTORY,
    unknownKeys: "error",
    enabled: true,
    store: `file:${join(DIRECTORY, ".feedsync", "store")}`,
    movedFrom: undefined,
    s3: {},
    state: ":memory:",
    poll: { min: 10_000, max: 10_000 },
    from: "earliest",
    retention: 86_400_000,
    presence: 300_000,
    wake: {
      listen: undefined,
      peers: [],
      advertise: undefined,
      secret: undefined,
      token: undefined,
      queues: [],
      marker: false,
    },
    encryption: undefined,
    includeOwn: false,
    files: undefined,
    api: undefined,
    turns: { idleMs: undefined, maxPerDomain: 100, weight: 1 },
    urlSchemes: ["http", "https"],
    plugins: ["log"],
    commitInterval: 0,
    publishTimeout: 30_000,
    callbackTimeout: 30_000,
    stopTimeout: 10_000,
    logLevel: "info",
  });
});

Deno.test("resolveConfig() turns durations into milliseconds and paths into absolute ones", () => {
  const resolved = resolveConfig({
    $schema: "./config.schema.json",
    server: "web-1",
    store: "file:store",
    state: "web-1.db",
    poll: "1m",
    retention: false,
    commitInterval: 250,
    files: { directory: "feeds", rescan: "5m" },
    plugins: ["./my.ts", ["log", { format: "json" }]],
  }, { directory: DIRECTORY });
  assert.equal(resolved.store, `file:${join(DIRECTORY, "store")}`);
  assert.equal(resolved.state, join(DIRECTORY, "web-1.db"));
  assert.deepEqual(resolved.poll, { min: 60_000, max: 60_000 });
  assert.equal(resolved.retention, false);
  assert.equal(resolved.commitInterval, 250);
  assert.deepEqual(resolved.files, {
    directory: join(DIRECTORY, "feeds"),
    settle: 200,
    rescan: 300_000,
    publishRemovals: false,
  });
  assert.deepEqual(resolved.plugins, ["./my.ts", ["log", { format: "json" }]]);
  assert.equal("$schema" in resolved, false);
});

Deno.test("resolveConfig() takes undefined for absent", () => {
  const resolved = resolveConfig({ poll: undefined, store: undefined }, { directory: DIRECTORY });
  assert.deepEqual(resolved.poll, { min: 10_000, max: 10_000 });
  assert.equal(resolved.store, `file:${join(DIRECTORY, ".feedsync", "store")}`);
});

Deno.test("resolveConfig() writes one store in one way", () => {
  const storeOf = (store: string) => resolveConfig({ store }, { directory: DIRECTORY }).store;
  assert.equal(storeOf("s3://bucket/"), "s3://bucket");
  assert.equal(storeOf("s3://bucket/pre/fix/"), "s3://bucket/pre/fix");
  if (Deno.build.os === "windows") return;
  assert.equal(storeOf("file:/srv/feeds/"), "file:/srv/feeds");
  assert.equal(storeOf("file:///srv/my%20feeds"), "file:/srv/my feeds");
});

Deno.test("an unknown key is named with the nearest valid one, in other objects too", () => {
  assert.match(problemOf({ pol: "1s" }), /unknown key 'pol', did you mean 'poll'\?/);
  assert.match(
    problemOf({ endpoint: "x" }),
    /unknown key 'endpoint', did you mean 's3.endpoint'\?/,
  );
  assert.match(
    problemOf({ s3: { secret_access_key: "x" } }),
    /unknown key 's3.secret_access_key', did you mean 'secretAccessKey'\?/,
  );
  assert.match(
    problemOf({ bucket: "x" }),
    /unknown key 'bucket', the keys are unknownKeys, enabled, server, /,
  );
});

Deno.test("every problem is told at once", () => {
  const problem = problemOf({ pol: 1, from: "tomorrow", enabled: "yes" });
  assert.match(problem, /'pol'/);
  assert.match(problem, /'from' must be "earliest" or "now": current value is "tomorrow"/);
  assert.match(problem, /'enabled' must be true or false: current value is "yes"/);
});

Deno.test("what is no configuration at all is refused", () => {
  for (const value of [null, [], "store", 3]) assert.match(problemOf(value), /must be an object/);
});

Deno.test("a bad server name is refused with the rule", () => {
  for (const server of ["", "Web", "web_1", "-web", "x".repeat(64), 1]) {
    assert.match(problemOf({ server }), /'server' must be/);
  }
});

Deno.test("a bad duration is refused with the valid forms", () => {
  for (const key of ["poll", "retention", "publishTimeout", "stopTimeout"]) {
    for (const value of ["10", "ten", true, -1, NaN]) {
      assert.match(problemOf({ [key]: value }), new RegExp(`'${key}' must be .*"10s".*current`));
    }
  }
  assert.match(problemOf({ files: { directory: "x", settle: "1" } }), /'files.settle' must be/);
});

Deno.test("a duration that cannot be meant is refused", () => {
  assert.match(problemOf({ poll: 30 }), /at least "100ms" \(a number is milliseconds\).*is 30$/);
  assert.match(problemOf({ poll: "30d" }), /'poll' must be at most "24d"/);
  assert.match(problemOf({ retention: "5m" }), /'retention' must be at least "10m"/);
});

Deno.test("a bad scheme is refused with the rule", () => {
  assert.deepEqual(resolveConfig({ urlSchemes: ["gemini"] }).urlSchemes, ["gemini"]);
  for (const scheme of ["", "c", "HTTP", "http:", "https://", "1a", 1]) {
    assert.match(problemOf({ urlSchemes: ["https", scheme] }), /'urlSchemes.1' must be/);
  }
  assert.match(problemOf({ urlSchemes: [] }), /'urlSchemes' must name at least one scheme/);
  assert.match(problemOf({ urlSchemes: "http" }), /'urlSchemes' must be an array/);
});

Deno.test("a bad store is refused, and credentials in it are not repeated", () => {
  for (const store of ["", "bucket", "s3:bucket", "s3://", "https://b", "file:", "file://host/x"]) {
    assert.match(problemOf({ store }), /'store' must look like "s3:\/\/bucket\/prefix"/);
  }
  for (const secret of ["s3://key:SECRET@bucket", "s3://key:SEC/RET@bucket", "s3://b?k=SECRET"]) {
    assert.doesNotMatch(problemOf({ store: secret }), /SEC|RET/);
  }
});

Deno.test("secrets do not show up in messages", () => {
  const problem = problemOf({
    s3: {
      endpoint: "http://user:SECRET1@host",
      accessKeyId: 1234567,
      secretAccessKey: ["SECRET2"],
    },
  });
  assert.match(problem, /'s3.endpoint' must be .* without credentials/);
  assert.match(problem, /'s3.accessKeyId' must be a string/);
  assert.doesNotMatch(problem, /SECRET|1234567/);
});

Deno.test("keys that need each other are asked for", () => {
  assert.match(problemOf({ s3: { accessKeyId: "a" } }), /'s3.secretAccessKey' is missing/);
  assert.match(problemOf({ s3: { secretAccessKey: "a" } }), /'s3.accessKeyId' is missing/);
  assert.match(problemOf({ files: { settle: "1s" } }), /'files.directory' is missing/);
  const encryption = { allowPlaintext: true };
  assert.match(problemOf({ encryption }), /'encryption.keys' is missing/);
});

Deno.test("a plugin must be a name, or a pair of a name and options", () => {
  for (const plugin of [3, "", [], ["log", 3], ["log", {}, 1], { log: {} }]) {
    assert.match(problemOf({ plugins: ["log", plugin] }), /'plugins.1(.\d)?' must/);
  }
  assert.match(problemOf({ plugins: "log" }), /'plugins' must be an array/);
});

Deno.test("polling may adapt within a range", () => {
  const poll = { min: "1s", max: "30s" };
  assert.deepEqual(resolveConfig({ poll }).poll, { min: 1000, max: 30_000 });
  assert.match(problemOf({ poll: { min: "1m", max: "1s" } }), /'poll' must have a 'max'/);
  assert.match(problemOf({ poll: { min: "1ms", max: "1s" } }), /'poll.min' must be at least/);
  assert.match(problemOf({ poll: { ...poll, mid: "3s" } }), /unknown key 'poll.mid'/);
  for (const poll of [{ min: "1s" }, { max: "1s" }, "often"]) {
    assert.match(problemOf({ poll }), /'poll' must be a duration .* or \{"min", "max"\}/);
  }
});

Deno.test("polls that are so rare that updates expire between them are refused", () => {
  assert.throws(() => resolveConfig({ poll: "13h" }), /'poll' must be at most half of 'retention'/);
  resolveConfig({ poll: "13h", retention: false });
});

Deno.test("peers need a secret, which no message shows", () => {
  const secret = `whsec_${btoa("a secret that all servers have")}`;
  for (const config of [{ listen: "0.0.0.0:7070" }, { peers: ["https://web-2:7070"] }]) {
    const missing = /'wake\.secret' is missing, 'wake\.(listen|peers)' requires it/;
    assert.throws(() => resolveConfig({ wake: config }), missing);
    resolveConfig({ wake: { ...config, secret } });
  }
  const problem = problemOf({ wake: { secret: "open-sesame" } });
  assert.match(problem, /'wake\.secret' must be "whsec_" and base64/);
  assert.doesNotMatch(problem, /open-sesame/);
  assert.match(
    problemOf({ wake: { listen: "7070" } }),
    /'wake\.listen' must be an address and port/,
  );
  assert.match(problemOf({ wake: { secret: "whsec_AA==" } }), /'wake\.secret' must be .* 24 bytes/);
  for (const peer of ["web-2", "http://a:b@web-2", "http://web-2/?k=secret"]) {
    assert.match(problemOf({ wake: { peers: [peer] } }), /'wake\.peers\.0' must be an http/);
  }
  assert.match(
    problemOf({ wake: { queues: [{ sq: "x" }] } }),
    /unknown key 'wake.queues.0.sq', did you mean 'sqs'/,
  );
});

Deno.test("peers that are found automatically need a secret, and an advertised origin a listener", () => {
  const secret = `whsec_${btoa("a secret that all servers have")}`;
  const listen = "0.0.0.0:7070", advertise = "HTTP://Web-1:7070/";
  const resolve = (wake: Config["wake"]) => () => resolveConfig({ wake });
  assert.throws(resolve({ peers: "auto" }), /'wake\.secret' is missing, 'wake\.peers' requires it/);
  assert.throws(resolve({ advertise, secret }), /'wake\.listen' is missing, 'wake\.advertise' req/);
  assert.throws(
    resolve({ advertise, listen, token: "a".repeat(16) }),
    /'wake\.secret' is missing, 'wake\.advertise' requires it/,
  );
  for (const wake of [{ secret, peers: "auto" }, { secret, listen, advertise }] as const) {
    assert.throws(() => resolveConfig({ presence: false, wake }), /requires 'presence'/);
  }
  const { wake } = resolve({ advertise, listen, secret, peers: "auto" })();
  assert.equal(wake.peers, "auto");
  assert.equal(wake.advertise, "http://web-1:7070");
  for (const wrong of ["web-1:7070", "http://web-1/path", "http://169.254.1.1", "http://[::]"]) {
    assert.match(
      problemOf({ wake: { advertise: wrong } }),
      /'wake\.advertise' must be an origin such as .*, and no link-local address/,
    );
  }
  assert.match(problemOf({ wake: { peers: "always" } }), /'wake\.peers' must be "auto", or in/);
});

Deno.test("a key of the service's key management needs the encryption that uses it", () => {
  const missing = /'s3.kmsKeyId' requires 's3.serverSideEncryption' to be "aws:kms"/;
  assert.match(problemOf({ s3: { kmsKeyId: "a" } }), missing);
  assert.match(problemOf({ s3: { kmsKeyId: "a", serverSideEncryption: "AES256" } }), missing);
  resolveConfig({ s3: { kmsKeyId: "a", serverSideEncryption: "aws:kms" } });
  assert.match(
    problemOf({ s3: { serverSideEncryption: "aws" } }),
    /'s3.serverSideEncryption' must be "AES256" or "aws:kms": current value is "aws"/,
  );
  assert.match(problemOf({ s3: { acl: "public" } }), /'s3.acl' must be "private" or "public-read"/);
});

Deno.test("a role needs its ARN, and a session that says which server it is", () => {
  const roleArn = "arn:aws:iam::123456789012:role/feedsync";
  const role = (assumeRole: S3Config["assumeRole"], server = "web-1") =>
    resolveConfig({ server, s3: { assumeRole } }).s3.assumeRole;
  assert.match(problemOf({ s3: { assumeRole: { externalId: "x" } } }), /roleArn' is missing/);
  assert.match(
    problemOf({ s3: { assumeRole: { roleARN: roleArn } } }),
    /unknown key 's3.assumeRole.roleARN', did you mean 'roleArn'/,
  );
  assert.match(
    problemOf({ s3: { assumeRole: { roleArn, duration: "1m" } } }),
    /'s3.assumeRole.duration' must be at least "15m"/,
  );
  assert.deepEqual(role({ roleArn }), { roleArn, sessionName: "feedsync-web-1" });
  assert.equal(role({ roleArn, sessionName: "mine" })?.sessionName, "mine");
  assert.equal(role({ roleArn }, "x".repeat(63))?.sessionName?.length, 64);
});

Deno.test("credentials come from one place", () => {
  const s3 = { accessKeyId: "a", secretAccessKey: "b", credentialsFile: "c" };
  assert.match(problemOf({ s3 }), /'s3.accessKeyId' and 's3.credentialsFile' exclude each other/);
});

Deno.test("a text in place of the s3 keys is not shown: it may be a secret", () => {
  assert.doesNotMatch(problemOf({ s3: "very-secret" }), /very-secret/);
});

Deno.test("what a store was called before is an endpoint, or a URL as stores are compared by", () => {
  const resolve = (movedFrom: string) => resolveConfig({ movedFrom }, { directory: DIRECTORY });
  assert.equal(resolve("https://minio:9000").movedFrom, "https://minio:9000");
  assert.equal(resolve("s3://feeds//prod/").movedFrom, "s3://feeds/prod");
  assert.equal(resolve("file:store").movedFrom, `file:${join(DIRECTORY, "store")}`);
});

Deno.test("a key that lacks its section is answered with the name of the right one", () => {
  for (
    const [key, right] of [
      ["listen", "wake.listen"],
      ["peers", "wake.peers"],
      ["secret", "wake.secret"],
      ["wakeToken", "wake.token"],
      ["marker", "wake.marker"],
      ["keys", "encryption.keys"],
    ]
  ) {
    const expected = `Cannot use the configuration: unknown key '${key}', did you mean '${right}'?`;
    assert.equal(problemOf({ [key]: "x" }), expected);
  }
  assert.match(
    problemOf({ wake: [{ sqs: "https://sqs/queue" }] }),
    /'wake' must be an object; queues are listed in 'wake\.queues'$/,
  );
});

Deno.test("unknown keys can be warnings, which a program logs", () => {
  using log = captureLog();
  const config = { unknownKeys: "warn", pol: "1s", wake: { queues: [{ sqs: "https://q", a: 1 }] } };
  const { wake } = resolveConfig(config as Config);
  assert.deepEqual(wake.queues, [{ sqs: "https://q" }]);
  const ignoring = "warning: Ignoring part of the configuration: unknown key";
  assert.deepEqual(log.lines, [
    `${ignoring} 'wake.queues.0.a', the keys are sqs`,
    `${ignoring} 'pol', did you mean 'poll'?`,
  ]);
});

Deno.test("the section turns is checked and resolved", () => {
  const { turns } = resolveConfig({ turns: { idle: "30m", maxPerDomain: 10, weight: 3 } });
  assert.deepEqual(turns, { idleMs: 1_800_000, maxPerDomain: 10, weight: 3 });
  assert.match(problemOf({ turns: { idle: "30s" } }), /'turns\.idle' must be at least "1m"/);
  for (const weight of [0, 1001, 1.5]) {
    const problem = problemOf({ turns: { weight } });
    assert.ok(
      problem.endsWith(
        `'turns.weight' must be a whole number from 1 to 1000: current value is ${weight}`,
      ),
      problem,
    );
  }
  assert.match(
    problemOf({ turns: { maxPerDomain: "9" } }),
    /must be a whole number from 1 to 1000000/,
  );
});

Deno.test("the section api is filled in, and its mistakes are named", () => {
  const resolve = (api: unknown) => resolveConfig({ api } as Config, { directory: DIRECTORY }).api;
  assert.deepEqual(resolve({ listen: "127.0.0.1:7071", hosts: ["Feeds.Example.com"] }), {
    listen: "127.0.0.1:7071",
    token: undefined,
    group: undefined,
    hosts: ["feeds.example.com"],
    inbox: { maxAgeMs: 7 * 24 * 3_600_000, maxBytes: 1_000_000_000 },
  });
  assert.equal(resolve({ listen: "unix:api.sock" })?.listen, `unix:${join(DIRECTORY, "api.sock")}`);
  assert.equal(
    resolve({ listen: "unix:a", inbox: { maxBytes: "4MiB" } })?.inbox.maxBytes,
    4_194_304,
  );
  assert.equal(resolve(undefined), undefined);
  const wrong: [unknown, RegExp][] = [
    [{ token: false }, /'api\.listen' is missing/],
    [{ listen: "7071" }, /'api\.listen' must be an address and port/],
    [{ listen: "a:1", token: "SECRET" }, /^(?!.*SECRET).*'api\.token' must have 16/],
    [{ listen: "a:1", token: true }, /'api\.token' must have 16/],
    [{ listen: "a:1", hosts: ["a:80"] }, /host name, without port/],
    [
      { listen: "a:1", inbox: { maxBytes: "1kB" } },
      /'api\.inbox\.maxBytes' must be at least "1MB"/,
    ],
    [{ listen: "a:1", inbox: { maxBytes: "much" } }, /'api\.inbox\.maxBytes' must be a size/],
  ];
  for (const [api, message] of wrong) assert.match(problemOf({ api }), message);
});
