import assert from "node:assert/strict";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { PluginEntry } from "../../lib/plugin.ts";
import { loadPlugins } from "../../lib/plugins/load_plugins.ts";
import type { PluginLogger } from "../../lib/plugin.ts";
import type { Update } from "../../lib/update.ts";
import { unreachableEndpoint } from "../servers/http.ts";

/** Plugins write here what happened to them. */
const events: string[] = [];
Object.assign(globalThis, { pluginEvents: events });

const UPDATE: Update = {
  id: "6a0b7d4e-0000-4000-8000-000000000000",
  url: "https://example.com/feed.xml",
  content: "<rss/>",
  metadata: {},
  server: "web-1",
  time: "2025-01-01T00:00:00.000Z",
  stream: "web-1_abcdefgh",
  seq: 1,
  superseded: false,
};

/** A directory with the plugin's source in `plugin.ts`, and other files. */
async function directoryWith(
  source: string,
  others: Record<string, string> = {},
): Promise<AsyncDisposable & { path: string }> {
  const path = await Deno.makeTempDir();
  for (const [name, text] of Object.entries({ "plugin.ts": source, ...others })) {
    await Deno.writeTextFile(join(path, name), text);
  }
  return { path, [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }) };
}

async function problemOf(entries: PluginEntry[], directory = Deno.cwd()): Promise<string> {
  try {
    await loadPlugins(entries, { server: "web-1", directory });
  } catch (error) {
    assert.equal((error as Error).name, "ConfigError", String(error));
    return (error as Error).message;
  }
  throw new Error("accepted");
}

async function problemOfSource(source: string): Promise<string> {
  await using directory = await directoryWith(source);
  return await problemOf(["./plugin.ts"], directory.path);
}

/** Source of a plugin that reports what it is told. */
const REPORTER = `
  const tell = (text: string) => globalThis.pluginEvents.push(text);
  declare global { var pluginEvents: string[] }
  export default {
    name: "reporter",
    options: { parse: (value: { label?: string }) => ({ label: "plain", ...value }) },
    setup({ options, server, directory, logger }) {
      logger.info("with {braces}");
      tell("setup " + options.label + " " + server + " " + directory);
      return options.label;
    },
    onUpdate: (update, { state }) => void tell(state + " got " + update.seq),
    close: ({ state }) => void tell("close " + state),
  };
`;

Deno.test("a plugin is loaded by its path, with options, set up, called and closed", async () => {
  await using directory = await directoryWith(REPORTER);
  events.length = 0;
  const logged: string[] = [];
  const log = (message: string) => void logged.push(message);
  const logger: PluginLogger = { debug: log, info: log, warn: log, error: log };
  const [first, second] = await loadPlugins(
    ["./plugin.ts", [pathToFileURL(join(directory.path, "plugin.ts")).href, { label: "other" }]],
    { server: "web-1", directory: directory.path, loggerFor: () => logger },
  );
  await second.onUpdate(UPDATE, AbortSignal.timeout(1_000));
  await first.close();
  await second.close();
  assert.deepEqual(events, [
    `setup plain web-1 ${directory.path}`,
    `setup other web-1 ${directory.path}`,
    "other got 1",
    "close plain",
    "close other",
  ]);
  assert.deepEqual(logged, ["with {braces}", "with {braces}"]);
});

Deno.test("plugins of one name are told apart by a number", async () => {
  await using directory = await directoryWith(REPORTER);
  const plugins = await loadPlugins(["./plugin.ts", "./plugin.ts", "./plugin.ts"], {
    server: "web-1",
    directory: directory.path,
  });
  assert.deepEqual(plugins.map(({ name }) => name), ["reporter", "reporter-2", "reporter-3"]);
});

Deno.test("built-in plugins are loaded by name", async () => {
  const [plugin] = await loadPlugins([["log", { format: "json" }]], {
    server: "web-1",
    directory: Deno.cwd(),
  });
  assert.equal(plugin.name, "log");
  await plugin.close();
});

Deno.test("a name that is none is answered with the nearest, or all", async () => {
  assert.equal(
    await problemOf(["lgo"]),
    "Cannot use plugin 'lgo': there is no built-in plugin of that name, did you mean \"log\"?",
  );
  assert.match(await problemOf(["kafka"]), /there are log, mirror, webhook, exec, sqlite$/);
  assert.match(await problemOf(["constructor"]), /there is no built-in plugin of that name/);
});

Deno.test("a plugin that does not exist is named by its absolute path", async () => {
  const path = join(Deno.cwd(), "plugins", "nope.ts");
  assert.equal(
    await problemOf(["./plugins/nope.ts"]),
    `Cannot use plugin './plugins/nope.ts': ${path} does not exist`,
  );
  assert.match(await problemOf(["./plugins"]), /plugins is not a file$/);
});

Deno.test("a plugin that does not compile is named with the message and the place", async () => {
  const problem = await problemOfSource("export default {{ name: 1 }");
  assert.match(problem, /^Cannot use plugin '.\/plugin.ts': .*[Uu]nexpected token/);
  assert.match(problem, /plugin\.ts:1:17/);
});

Deno.test("what keeps a plugin from being loaded is told in one line, without an excerpt", async () => {
  await using directory = await directoryWith("export default {\n  onUpdate( {\n}\n");
  const problem = await problemOf(["./plugin.ts"], directory.path);
  assert.match(problem, /^Cannot use plugin '.\/plugin.ts': .*'<eof>' at file:.*plugin\.ts:3:2$/);
  assert.match(await problemOfSource('throw new Error("[\\n  1\\n]")'), /'.\/plugin.ts': \[ 1 \]$/);
});

Deno.test("a plugin that cannot be run is named with the reason", async () => {
  const problem = await problemOfSource('import "./gone.ts";');
  assert.match(problem, /Module not found .*gone\.ts/);
  assert.ok(!problem.includes("\x1b"), "no colours");
  assert.match(await problemOfSource('throw new Error("at once")'), /'.\/plugin.ts': at once$/);
});

Deno.test("a module whose default export is no plugin is refused with what it lacks", async () => {
  const cases = [
    ["export const plugin = {};", "it has no default export"],
    ["export default () => {};", "is not an object"],
    ["export default {};", "has no 'name'"],
    ['export default { name: "x" };', "has no function 'onUpdate'"],
    ['export default { name: "x", onUpdate() {}, close: 1 };', "a 'close' that is not a function"],
    ['export default { name: "x", onUpdate() {}, options: {} };', "without a function 'parse'"],
  ];
  for (const [source, problem] of cases) {
    const message = await problemOfSource(source);
    assert.ok(message.includes(problem), message);
  }
});

Deno.test("wrong options are told in words, without their values", async () => {
  const problem = await problemOf([["log", { format: "SECRET", colour: "SECRET" }]]);
  assert.match(problem, /^Cannot use plugin 'log': its options are wrong: 'format': .*"text"/);
  assert.match(problem, /colour/);
  assert.doesNotMatch(problem, /SECRET|\[\s*\{/);
});

Deno.test("options for a plugin that takes none are refused", async () => {
  await using directory = await directoryWith(
    'export default { name: "x", onUpdate() {} };',
  );
  const problem = await problemOf([["./plugin.ts", { a: 1 }]], directory.path);
  assert.match(problem, /it takes no options$/);
});

Deno.test("when a plugin throws in setup, those before it are closed, last first", async () => {
  await using directory = await directoryWith(REPORTER, {
    "bad.ts":
      'export default { name: "bad", onUpdate() {}, setup() { throw new Error("no db") } };',
  });
  events.length = 0;
  const entries: PluginEntry[] = [
    ["./plugin.ts", { label: "one" }],
    ["./plugin.ts", { label: "two" }],
    "./bad.ts",
    ["./plugin.ts", { label: "three" }],
  ];
  const problem = await problemOf(entries, directory.path);
  assert.equal(problem, "Cannot use plugin './bad.ts': its setup failed: no db");
  assert.deepEqual(events.filter((text) => text.startsWith("close")), ["close two", "close one"]);
  assert.ok(!events.some((text) => text.includes("three")));
});

Deno.test("a plugin that is named by a URL is told without its secrets", async () => {
  const { host } = new URL(unreachableEndpoint());
  const plugin = `http://user:S3CRET@${host}/T0KEN/plugin.ts?key=S3CRET`;
  const problem = await problemOf([plugin]);
  assert.ok(problem.startsWith(`Cannot use plugin 'http://${host}': `), problem);
  assert.doesNotMatch(problem, /S3CRET|T0KEN|user/);
});
