import assert from "node:assert/strict";
import { COMMANDS, moduleOf } from "../../lib/cli/commands.ts";

const ROOT = new URL("../../", import.meta.url);

/** The modules of the commands, which `deno compile` cannot find by itself. */
async function commands(): Promise<string[]> {
  const { tasks } = JSON.parse(await Deno.readTextFile(new URL("deno.json", ROOT)));
  return [...tasks.compile.command.matchAll(/--include (\S+)/g)].map(([, path]) => path);
}

Deno.test("deno compile is told of all commands", async () => {
  const modules = COMMANDS.map((command) => moduleOf(command).replace("./", ""));
  assert.deepEqual((await commands()).toSorted(), modules.toSorted());
});

/** What the executable may do. */
async function permissions(): Promise<string[]> {
  const { tasks } = JSON.parse(await Deno.readTextFile(new URL("deno.json", ROOT)));
  return [...tasks.compile.command.matchAll(/ (--no-prompt|--allow-\S+)/g)].map(([, flag]) => flag);
}

/** The arguments of the task, but for the name of the result. */
async function compileFlags(): Promise<string[]> {
  const { tasks } = JSON.parse(await Deno.readTextFile(new URL("deno.json", ROOT)));
  const [, flags] = /deno compile -q (.+?) --output /.exec(tasks.compile.command)!;
  return flags.split(" ");
}

/** The packages that a configuration file imports from npm, by the names that code has for them. */
async function packagesOf(path: string): Promise<string[]> {
  const { imports } = JSON.parse(await Deno.readTextFile(new URL(path, ROOT)));
  return Object.entries<string>(imports).filter(([, target]) => target.startsWith("npm:"))
    .map(([name]) => name);
}

/** No more than this is embedded, in megabytes: what tests need would double it. */
const MAX_EMBEDDED_MB = 27;

/**
 * The runtime of a real executable comes from Deno's server. With Deno itself in its place
 * everything is built but the result, which is Deno and not feedsync, and is never run.
 */
Deno.test("deno compile embeds all that the commands load, plugins included, and no more", async () => {
  const directory = await Deno.makeTempDir();
  try {
    const { success, stderr } = await new Deno.Command(Deno.execPath(), {
      args: [
        ...["compile", ...await compileFlags(), "--output", `${directory}/feedsync`, "cli.ts"],
      ],
      cwd: ROOT,
      env: { DENORT_BIN: Deno.execPath(), NO_COLOR: "1" },
    }).output();
    const printed = new TextDecoder().decode(stderr);
    assert.ok(success, printed);
    const embedded = printed.slice(printed.indexOf("Embedded Files"));
    const files = ["cli.ts", "mirror.ts", "page.html", "page.css", "main.js", "well.svg"];
    // Directories with a module of types alone, such as wake, are not listed as a whole.
    const whole = ["cli/*", "plugins/*", "stores/*", "receive/*", "send/*", "log/*"];
    const packages = ["client-s3", "client-sqs", "zod", "logtape", "jose", "tldts", "saxes"];
    for (const name of [...files, ...whole, ...packages, "plugins", "jsonc-parser"]) {
      assert.ok(embedded.includes(name), `${name} is missing`);
    }
    for (const name of await packagesOf("tests/deno.json")) {
      const last = name.split("/").at(-1)!;
      assert.ok(!embedded.includes(`${last}/`), `${name} is embedded, which only tests need`);
    }
    const size = /\nFiles: ([\d.]+)MB\n/.exec(embedded)?.[1];
    assert.ok(Number(size) < MAX_EMBEDDED_MB, `${size} MB are embedded`);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});

Deno.test("the executable asks for what its commands and plugins need, and no foreign functions", async () => {
  assert.deepEqual((await permissions()).toSorted(), [
    "--allow-env",
    "--allow-net",
    "--allow-read",
    "--allow-run",
    "--allow-sys=hostname,osRelease,statfs,uid,gid",
    "--allow-write",
    "--no-prompt",
  ]);
});

Deno.test("nothing that is embedded reads files of the source tree", async () => {
  const own = new Map<string, string>();
  for (const path of ["cli.ts", ...await commands()]) {
    const { stdout } = await new Deno.Command(Deno.execPath(), {
      args: ["info", "--json", path],
      cwd: ROOT,
    }).output();
    const { modules } = JSON.parse(new TextDecoder().decode(stdout));
    for (const { local, specifier } of modules) {
      if (local && specifier.startsWith(ROOT.href)) own.set(specifier, local);
    }
  }
  assert.ok(own.size > 50, `${own.size} modules`);
  for (const [specifier, local] of own) {
    const source = await Deno.readTextFile(local);
    if (!/import\.meta\.(url|dirname|filename|resolve)/.test(source)) continue;
    assert.match(source, /Deno\.build\.standalone/, `${specifier} depends on where it lies`);
  }
});

/** All modules below a directory, as text. */
async function sourcesIn(directory: string): Promise<string[]> {
  const sources: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(new URL(directory, ROOT))) {
    if (isDirectory) sources.push(...await sourcesIn(`${directory}${name}/`));
    else if (name.endsWith(".ts")) {
      sources.push(await Deno.readTextFile(new URL(directory + name, ROOT)));
    }
  }
  return sources;
}

Deno.test("packages that only tests need are those of the tests, and no other package", async () => {
  const [lib, plugins, tests] = await Promise.all(["lib/", "plugins/", "tests/"].map(sourcesIn));
  const names = (sources: string[], name: string) =>
    sources.some((source) => new RegExp(`(from|import\\() ?"${name}(/[^"]*)?"`).test(source));
  const product = [...lib, ...plugins];
  for (const name of await packagesOf("deno.json")) {
    assert.ok(names(product, name), `${name} is not for the program: name it in tests/deno.json`);
  }
  for (const name of await packagesOf("tests/deno.json")) {
    assert.ok(names(tests, name), `${name} is used nowhere`);
    assert.ok(!names(product, name), `${name} is for the program: name it in deno.json`);
  }
});
