import assert from "node:assert/strict";
import { join } from "node:path";
import { wrongFlags } from "../../lib/config/check.ts";
import type { Config } from "../../lib/config/config.ts";
import { loadConfig, type LoadedConfig } from "../../lib/config/load.ts";

/** A directory with files in it, removed at the end. */
async function directoryWith(
  files: Record<string, string>,
): Promise<AsyncDisposable & { path: string }> {
  const path = await Deno.makeTempDir();
  for (const [name, text] of Object.entries(files)) {
    await Deno.writeTextFile(join(path, name), text);
  }
  return { path, [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }) };
}

async function load(
  files: Record<string, string>,
  sources: { env?: Record<string, string>; flags?: Config; file?: string } = {},
): Promise<LoadedConfig & { cwd: string }> {
  await using directory = await directoryWith(files);
  const cwd = directory.path;
  return { ...await loadConfig({ env: {}, cwd, ...sources }), cwd };
}

async function problemOf(...args: Parameters<typeof load>): Promise<string> {
  try {
    await load(...args);
  } catch (error) {
    assert.equal((error as Error).name, "ConfigError", String(error));
    return (error as Error).message;
  }
  throw new Error("accepted");
}

Deno.test("without any configuration the state is named after the server", async () => {
  const { config, directory, file, cwd } = await load({}, { flags: { server: "web-1" } });
  assert.equal(directory, cwd);
  assert.equal(file, undefined);
  assert.equal(config.state, join(cwd, ".feedsync", "web-1.db"));
});

Deno.test("a configuration file may have comments and trailing commas", async () => {
  const { config, file, cwd } = await load({
    "feedsync.jsonc": '\uFEFF{\n  // mine\n  "server": "web-1", /* and */ "poll": "5s",\n}\n',
  });
  assert.equal(config.server, "web-1");
  assert.equal(config.poll, "5s");
  assert.equal(file, join(cwd, "feedsync.jsonc"));
});

Deno.test("feedsync.jsonc goes before feedsync.json before deno.json", async () => {
  const files: Record<string, string> = {
    "feedsync.jsonc": '{ "server": "a" }',
    "feedsync.json": '{ "server": "b" }',
    "deno.json": '{ "tasks": {}, "feedsync": { "server": "c" } }',
    "deno.jsonc": '{ "feedsync": { "server": "d" } }',
  };
  for (const name of ["a", "b", "c", "d"]) {
    assert.equal((await load(files)).config.server, name);
    delete files[Object.keys(files)[0]];
  }
});

Deno.test("a deno.json without the key is passed over", async () => {
  const { file } = await load({ "deno.json": '{ "tasks": {} }' });
  assert.equal(file, undefined);
});

Deno.test("flags go before variables, variables before the file, key by key", async () => {
  const { config } = await load({
    "feedsync.json": JSON.stringify({
      server: "file",
      from: "now",
      poll: "1s",
      s3: { region: "file", endpoint: "http://file" },
    }),
  }, {
    env: { FEEDSYNC_SERVER: "variable", FEEDSYNC_POLL: "2s", FEEDSYNC_S3_REGION: "variable" },
    flags: { server: "flag" },
  });
  assert.equal(config.server, "flag");
  assert.equal(config.poll, "2s");
  assert.equal(config.from, "now");
  assert.deepEqual(config.s3, { region: "variable", endpoint: "http://file" });
});

Deno.test("a flag that was not given hides nothing", async () => {
  const { config } = await load({ "feedsync.json": '{ "server": "web-1", "from": "now" }' }, {
    flags: { server: undefined, from: undefined, files: undefined },
  });
  assert.deepEqual([config.server, config.from], ["web-1", "now"]);
});

Deno.test("paths start from where they are written", async () => {
  await using directory = await directoryWith({});
  const cwd = directory.path;
  await Deno.mkdir(join(cwd, "etc"));
  await Deno.writeTextFile(
    join(cwd, "etc", "my.json"),
    JSON.stringify({
      store: "file:store",
      files: { directory: "feeds" },
      encryption: { keys: "my.keys.json", allowPlaintext: true },
    }),
  );
  const loaded = await loadConfig({
    file: "etc/my.json",
    env: { FEEDSYNC_STATE: "state.db" },
    flags: {},
    cwd,
  });
  assert.equal(loaded.directory, join(cwd, "etc"));
  assert.equal(loaded.config.store, `file:${join(cwd, "etc", "store")}`);
  assert.equal(loaded.config.files?.directory, join(cwd, "etc", "feeds"));
  assert.equal(loaded.config.state, join(cwd, "state.db"));
  const keys = join(cwd, "etc", "my.keys.json");
  assert.deepEqual(loaded.config.encryption, { keys, allowPlaintext: true });
});

Deno.test("FEEDSYNC_ENCRYPTION_KEYS names the key file, from the working directory", async () => {
  await using directory = await directoryWith({
    "feedsync.json": '{ "encryption": { "keys": "a", "allowPlaintext": true } }',
  });
  const cwd = directory.path;
  const { config } = await loadConfig({ env: { FEEDSYNC_ENCRYPTION_KEYS: "b" }, cwd });
  assert.deepEqual(config.encryption, { keys: join(cwd, "b"), allowPlaintext: true });
  const { config: other } = await loadConfig({
    env: { FEEDSYNC_ENCRYPTION_ALLOW_PLAINTEXT: "false" },
    cwd,
  });
  assert.deepEqual(other.encryption, { keys: join(cwd, "a"), allowPlaintext: false });
});

Deno.test("a configuration file that was asked for must exist, and is named in full", async () => {
  await using directory = await directoryWith({});
  const cwd = directory.path;
  await assert.rejects(loadConfig({ file: "nowhere.json", env: {}, cwd }), {
    name: "ConfigError",
    message: `Cannot read the configuration: ${join(cwd, "nowhere.json")} does not exist`,
  });
});

Deno.test("a deno.json that was asked for must have the key", async () => {
  const problem = await problemOf({ "deno.json": "{}" }, { file: "deno.json" });
  assert.match(problem, /deno\.json has no key 'feedsync'/);
});

Deno.test("a file that is not JSON is refused with line and column", async () => {
  assert.match(
    await problemOf({ "feedsync.json": '{\n  "poll": tru\n}' }),
    /feedsync\.json:2:11: invalid symbol/,
  );
  assert.match(
    await problemOf({ "feedsync.json": '{ "poll": "1s"' }),
    /feedsync\.json:1:15: close brace expected/,
  );
  assert.match(
    await problemOf({ "feedsync.json": " \n" }),
    /feedsync\.json:2:1: the file is empty/,
  );
  assert.match(await problemOf({ "deno.json": "{" }), /deno\.json:1:2: close brace expected/);
});

Deno.test("a wrong key in a file is named with line and column", async () => {
  const text = '{\n  "server": "web-1",\n  "s3": {\n    "reigon": "x"\n  },\n  "poll": "often"\n}';
  const problem = await problemOf({ "feedsync.jsonc": text });
  assert.match(problem, /feedsync\.jsonc:4:5: unknown key 's3.reigon', did you mean 'region'\?/);
  assert.match(problem, /feedsync\.jsonc:6:3: 'poll' must be a duration/);
});

Deno.test("a wrong key in deno.json is named with line and column", async () => {
  const text = '{\n  "feedsync": {\n    "form": "now"\n  }\n}';
  assert.match(
    await problemOf({ "deno.json": text }),
    /deno\.json:3:5: unknown key 'form', did you mean 'from'\?/,
  );
});

Deno.test("a prototype cannot be set", async () => {
  const problem = await problemOf({ "feedsync.json": '{ "__proto__": { "poll": "1s" } }' });
  assert.match(problem, /unknown key '__proto__'/);
});

Deno.test("variables give booleans and numbers where the key takes them, else text", async () => {
  const { config } = await load({}, {
    env: {
      FEEDSYNC_ENABLED: "false",
      FEEDSYNC_POLL: "1500",
      FEEDSYNC_RETENTION: "false",
      FEEDSYNC_SERVER: "1",
      FEEDSYNC_COMMIT_INTERVAL: "1s",
      FEEDSYNC_S3_ACCESS_KEY_ID: "123",
      FEEDSYNC_S3_SECRET_ACCESS_KEY: "true",
      FEEDSYNC_S3_FORCE_PATH_STYLE: "true",
    },
  });
  assert.equal(config.enabled, false);
  assert.equal(config.poll, 1500);
  assert.equal(config.retention, false);
  assert.equal(config.server, "1");
  assert.equal(config.commitInterval, "1s");
  assert.deepEqual(config.s3, {
    accessKeyId: "123",
    secretAccessKey: "true",
    forcePathStyle: true,
  });
});

Deno.test("an empty variable counts as unset", async () => {
  const { config } = await load({ "feedsync.json": '{ "server": "web-1" }' }, {
    env: { FEEDSYNC_SERVER: "", FEEDSYNC_WHATEVER: "" },
  });
  assert.equal(config.server, "web-1");
});

Deno.test("an unknown variable is refused with the nearest one; others' are left alone", async () => {
  assert.match(
    await problemOf({}, { env: { FEEDSYNC_STROE: "SECRET" } }),
    /unknown variable FEEDSYNC_STROE, did you mean "FEEDSYNC_STORE"\?$/,
  );
  assert.match(
    await problemOf({}, { env: { FEEDSYNC_BUCKET: "x" } }),
    /unknown variable FEEDSYNC_BUCKET, each key of the configuration that is not a list .* has a variable/,
  );
  await load({}, { env: { FEEDSYNC_TEST_S3: "x", HOME: "/", FEEDSYNCED: "x" } });
});

Deno.test("a variable for a list is answered with where that can be set", async () => {
  for (
    const [variable, key] of [
      ["FEEDSYNC_PLUGINS", "plugins"],
      ["FEEDSYNC_WAKE_QUEUES", "wake.queues"],
      ["FEEDSYNC_QUEUES", "wake.queues"],
    ]
  ) {
    assert.equal(
      await problemOf({}, { env: { [variable]: "x" } }),
      `Cannot use the environment: there is no variable ${variable}: ` +
        `'${key}' is a list and can only be set in the configuration file`,
    );
  }
});

Deno.test("peers may be found automatically by a variable; a list of them needs the file", async () => {
  const secret = `whsec_${btoa("a secret that all servers have")}`;
  const env = { FEEDSYNC_WAKE_PEERS: "auto", FEEDSYNC_WAKE_SECRET: secret };
  assert.equal((await load({}, { env })).config.wake?.peers, "auto");
  assert.match(
    await problemOf({}, { env: { ...env, FEEDSYNC_WAKE_PEERS: "http://web-2" } }),
    /FEEDSYNC_WAKE_PEERS: 'wake\.peers' must be "auto", or in the configuration file a list of URLs/,
  );
});

Deno.test("a wrong value names its variable", async () => {
  assert.match(
    await problemOf({}, { env: { FEEDSYNC_POLL: "often" } }),
    /FEEDSYNC_POLL: 'poll' must be a duration .*"often"/,
  );
  assert.doesNotMatch(
    await problemOf({}, { env: { FEEDSYNC_STORE: "s3://k:SECRET@b" } }),
    /SECRET/,
  );
});

Deno.test("a wrong value of a flag is told in one sentence, without credentials", () => {
  assert.deepEqual(wrongFlags({ from: "now", server: undefined, files: { directory: "x" } }), []);
  const [server, store, ...more] = wrongFlags({ server: "A B", store: "s3://k:SECRET@b" });
  assert.match(server, /^--server must be 1 to 63 of .*: current value is "A B"$/);
  assert.match(store, /^--store must look like .*: current value is "s3:\/\/…@b"$/);
  assert.deepEqual(more, []);
});

Deno.test("the path of a credentials file starts where it is written", async () => {
  const files = { "feedsync.json": '{ "s3": { "credentialsFile": "keys/feedsync" } }' };
  const { config, cwd } = await load(files);
  assert.equal(config.s3?.credentialsFile, join(cwd, "keys", "feedsync"));
  const { config: { s3 }, cwd: other } = await load(files, {
    env: { FEEDSYNC_S3_CREDENTIALS_FILE: "mine" },
  });
  assert.equal(s3?.credentialsFile, join(other, "mine"));
});

Deno.test("a role may be told in part by the file and in part by variables", async () => {
  const { config } = await load({
    "feedsync.json": '{ "s3": { "assumeRole": { "roleArn": "file", "externalId": "file" } } }',
  }, { env: { FEEDSYNC_S3_ASSUME_ROLE_EXTERNAL_ID: "variable", FEEDSYNC_S3_ACL: "private" } });
  assert.deepEqual(config.s3, {
    assumeRole: { roleArn: "file", externalId: "variable" },
    acl: "private",
  });
});

Deno.test("a variable that lacks its section is answered with the name of the right one", async () => {
  for (
    const [name, right] of [
      ["FEEDSYNC_SECRET", "FEEDSYNC_WAKE_SECRET"],
      ["FEEDSYNC_LISTEN", "FEEDSYNC_WAKE_LISTEN"],
      ["FEEDSYNC_MARKER", "FEEDSYNC_WAKE_MARKER"],
      ["FEEDSYNC_KEYS", "FEEDSYNC_ENCRYPTION_KEYS"],
      ["FEEDSYNC_ALLOW_PLAINTEXT", "FEEDSYNC_ENCRYPTION_ALLOW_PLAINTEXT"],
    ]
  ) {
    assert.equal(
      await problemOf({}, { env: { [name]: "SECRET" } }),
      `Cannot use the environment: unknown variable ${name}, did you mean "${right}"?`,
    );
  }
});

Deno.test("unknown keys and variables can be warnings, and are ignored then", async () => {
  const file =
    '{\n "unknownKeys": "warn",\n "pol": "1s",\n "wake": { "color": 1, "marker": true }\n}';
  const { config, warnings } = await load({ "feedsync.json": file }, {
    env: { FEEDSYNC_STROE: "SECRET", FEEDSYNC_POLL: "2s" },
  });
  const { server: _, state: _state, ...known } = config;
  assert.deepEqual(known, { unknownKeys: "warn", poll: "2s", wake: { marker: true } });
  assert.equal(warnings.length, 3);
  assert.match(warnings[0], /feedsync\.json:4:12: unknown key 'wake\.color', the keys are listen/);
  assert.match(warnings[1], /feedsync\.json:3:2: unknown key 'pol', did you mean 'poll'\?$/);
  assert.match(warnings[2], /unknown variable FEEDSYNC_STROE, did you mean "FEEDSYNC_STORE"\?$/);
});

Deno.test("the variable of unknownKeys goes before the file", async () => {
  const warn = { "feedsync.json": '{ "unknownKeys": "warn", "pol": "1s" }' };
  const error = { "feedsync.json": '{ "pol": "1s" }' };
  assert.match(await problemOf(warn, { env: { FEEDSYNC_UNKNOWN_KEYS: "error" } }), /'pol'/);
  const { warnings } = await load(error, { env: { FEEDSYNC_UNKNOWN_KEYS: "warn" } });
  assert.equal(warnings.length, 1);
  const problem = await problemOf(error, { env: { FEEDSYNC_UNKNOWN_KEYS: "" } });
  assert.match(problem, /'pol'/);
});

Deno.test("a wrong value is an error, whatever unknown keys are", async () => {
  const problem = await problemOf({
    "feedsync.json": '{ "unknownKeys": "warn", "pol": "1s", "poll": "often" }',
  });
  assert.match(problem, /'poll' must be a duration/);
});
