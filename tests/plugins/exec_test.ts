import assert from "node:assert/strict";
import { join } from "node:path";
import { BackendUnavailableError, ConfigError, RejectedUpdateError } from "../../lib/errors.ts";
import { connect, publish, watch } from "../../mod.ts";
import { updateToJson } from "../../lib/update.ts";
import exec from "../../plugins/exec.ts";
import { makeRemoval, makeUpdate, start, temporaryDirectory } from "./harness.ts";

/** A command that runs `code`, in a module, in a Deno of its own. */
function deno(code: string): { command: string[] } {
  return { command: [Deno.execPath(), "eval", "--quiet", code] };
}

const REPORT = `
  const names = ["URL", "ID", "ORIGIN", "TIME", "STREAM", "SEQ", "SUPERSEDED", "REMOVED", "RESTORED"];
  const variables = names.map((name) => Deno.env.get("FEEDSYNC_" + name));
  const input = JSON.parse(await new Response(Deno.stdin.readable).text());
  console.log(JSON.stringify({ variables, input, cwd: Deno.cwd() }));
`;

Deno.test("exec hands over the update on standard input and in the environment", async () => {
  await using home = await temporaryDirectory();
  await using plugin = await start(exec, deno(REPORT), home.path);
  const updates = [
    makeUpdate({ content: { title: "Näws" }, url: "https://x/$(touch owned)\n;é", seq: 12 }),
    makeUpdate({ content: new Uint8Array([255, 0]), superseded: true }),
    makeRemoval(),
    makeUpdate({ restored: true }),
  ];
  for (const update of updates) await plugin.update(update);

  const reports = plugin.logged.map((line) => JSON.parse(line.slice("info: ".length)));
  assert.deepEqual(reports.map(({ input }) => input), updates.map(updateToJson));
  assert.deepEqual(reports.map(({ cwd }) => cwd), updates.map(() => home.path));
  const { id, server, time, stream } = updates[0];
  assert.deepEqual(reports[0].variables, [
    ...[updates[0].url, id, server, time, stream, "12", "false", "false", "false"],
  ]);
  assert.deepEqual(reports[1].variables.slice(-3), ["true", "false", "false"]);
  assert.deepEqual(reports[2].variables.slice(-3), ["false", "true", "false"]);
  assert.deepEqual(reports[3].variables.slice(-3), ["false", "false", "true"]);
});

Deno.test("exec gives its command the environment that feedsync has, secrets in it, too", async () => {
  Deno.env.set("EXEC_TEST_SECRET", "a secret");
  try {
    const command = deno('console.log(Deno.env.get("EXEC_TEST_SECRET"))');
    await using plugin = await start(exec, command, Deno.cwd());
    await plugin.update(makeUpdate());
    assert.deepEqual(plugin.logged, ["info: a secret"]);
  } finally {
    Deno.env.delete("EXEC_TEST_SECRET");
  }
});

Deno.test("exec passes arguments as they are, without a shell", async () => {
  const args = ["$HOME", "a b", "`id`", ""];
  const { command } = deno("console.log(JSON.stringify(Deno.args))");
  await using plugin = await start(exec, { command: [...command, ...args] }, Deno.cwd());
  await plugin.update(makeUpdate());
  assert.deepEqual(plugin.logged, [`info: ${JSON.stringify(args)}`]);
});

Deno.test("exec fails with the exit code and the last of what the command printed", async () => {
  const code = `console.error("x".repeat(100_000)); console.error("disk full"); Deno.exit(3)`;
  await using plugin = await start(exec, deno(code), Deno.cwd());
  const error = await plugin.update(makeUpdate()).catch((error: unknown) => error);
  assert.ok(error instanceof Error && !(error instanceof RejectedUpdateError));
  assert.match(
    error.message,
    /exited with 3 for https:\/\/example\.com\/feed\.xml: x+\ndisk full$/,
  );
  assert.ok(error.message.length < 3_000);
  assert.deepEqual(plugin.logged, []);
});

Deno.test("exec rejects an update for good when the command exits with 65", async () => {
  const code = `console.error("no such feed"); Deno.exit(65)`;
  await using plugin = await start(exec, deno(code), Deno.cwd());
  await assert.rejects(plugin.update(makeUpdate()), {
    name: RejectedUpdateError.name,
    message: /exited with 65 .*: no such feed$/,
  });
});

Deno.test("exec waits for its backend when the command exits with 69 or 75", async () => {
  for (const code of [69, 75]) {
    const program = `console.error("database is away"); Deno.exit(${code})`;
    await using plugin = await start(exec, deno(program), Deno.cwd());
    await assert.rejects(plugin.update(makeUpdate()), {
      name: BackendUnavailableError.name,
      message: new RegExp(`exited with ${code} .*: database is away$`),
    });
  }
});

Deno.test("exec waits while its command cannot be started, and says why", async () => {
  await using home = await temporaryDirectory();
  const path = await shellScript(home.path, "echo done");
  await using plugin = await start(exec, { command: [path] }, home.path);
  const broken: [change: () => Promise<unknown>, message: RegExp][] = [
    [() => Deno.writeTextFile(path, "#!/bin/no-such-shell\n"), /run by "\/bin\/no-such-shell"/],
    [() => Deno.chmod(path, 0o644), /not there any more, or not executable/],
    [() => Deno.remove(path), /not there any more, or not executable/],
  ];
  for (const [change, message] of broken) {
    await change();
    await assert.rejects(plugin.update(makeUpdate()), {
      name: BackendUnavailableError.name,
      message,
    });
  }
  await shellScript(home.path, "echo done");
  await plugin.update(makeUpdate());
  assert.deepEqual(plugin.logged, ["info: done"]);
});

Deno.test("exec says why when the directory it runs in is gone", async () => {
  const home = await temporaryDirectory();
  await using plugin = await start(exec, { command: ["sh", "-c", "exit 0"] }, home.path);
  await home[Symbol.asyncDispose]();
  const shell = await realShell();
  await assert.rejects(plugin.update(makeUpdate()), {
    name: BackendUnavailableError.name,
    message: `Cannot run ${shell}: the directory ${home.path} is not there`,
  });
});

/** Where `sh` is found. */
async function realShell(): Promise<string> {
  const { stdout } = await new Deno.Command("sh", { args: ["-c", "command -v sh"] }).output();
  return new TextDecoder().decode(stdout).trim();
}

Deno.test("exec names an interpreter that is missing, when it is set up", async () => {
  await using home = await temporaryDirectory();
  const script = join(home.path, "script");
  await Deno.writeTextFile(join(home.path, "nested"), "#!/no/such/perl\n", { mode: 0o755 });
  const lines: [string, RegExp][] = [
    [
      "#!/bin/sh\r\necho\r\n",
      /run by "\/bin\/sh\\r": its lines end in CR LF, as on Windows; convert it: sed/,
    ],
    ["#!/usr/bin/env sh\r\necho\r\n", /run by "sh\\r": its lines end in CR LF/],
    ["#!/usr/bin/env -S sh -e\r\n", /^$/],
    ["#! /usr/local/no/python3 -u\n", /run by "\/usr\/local\/no\/python3": it is not there/],
    ["#!no-such-interpreter", /run by "no-such-interpreter": it is not there/],
    ["#!/usr/bin/env no-such-python\n", /run by "no-such-python": it is not in PATH/],
    ["#!/usr/bin/env -S A=1 no-such-python -u\n", /run by "no-such-python": it is not in PATH/],
    ["#!/usr/bin/env sh -e\n", /run by "sh -e": it is not in PATH; use env -S/],
    ["\ufeff#!/bin/sh\n", /first line is hidden by a byte order mark; remove it: sed/],
    ["#!./nested -w\n", /run by "\/no\/such\/perl": it is not there/],
  ];
  for (const [text, message] of lines) {
    await Deno.writeTextFile(script, text, { mode: 0o755 });
    const error = await start(exec, { command: ["./script"] }, home.path)
      .then((plugin) => plugin[Symbol.asyncDispose](), (error: unknown) => error);
    if (message.source === "^$") assert.equal(error, undefined);
    else {
      assert.ok(error instanceof ConfigError, text);
      assert.match(error.message, message);
      assert.ok(error.message.startsWith(`Cannot run ${script}: `), error.message);
    }
  }
});

Deno.test({
  name: "exec names a dynamic loader that is missing, when it is set up",
  ignore: Deno.build.os !== "linux",
  async fn() {
    await using home = await temporaryDirectory();
    const bytes = await Deno.readFile(await Deno.realPath(await realShell()));
    const text = new TextDecoder("latin1").decode(bytes);
    const at = text.search(/\/lib\w*\/ld-/);
    assert.ok(at > 0, "the shell names its loader");
    bytes.set(new TextEncoder().encode("/xib"), at);
    await Deno.writeFile(join(home.path, "shell"), bytes, { mode: 0o755 });
    await assert.rejects(start(exec, { command: ["./shell"] }, home.path), {
      name: ConfigError.name,
      message: /it needs the dynamic loader "\/xib\w*\/ld-[^"]+", which is not there/,
    });
  },
});

Deno.test("exec runs every script that the system runs", async () => {
  await using home = await temporaryDirectory();
  const script = join(home.path, "script");
  const texts = [
    "echo hi\n",
    "#! /bin/sh -e\necho hi",
    "#!/bin/sh\necho hi",
    "#!/usr/bin/env -S sh -e\necho hi",
  ];
  for (const text of [...texts, "#!/usr/bin/env sh\necho hi\n"]) {
    await Deno.writeTextFile(script, text, { mode: 0o755 });
    await using plugin = await start(exec, { command: ["./script"] }, home.path);
    await plugin.update(makeUpdate());
    assert.deepEqual(plugin.logged, ["info: hi"], text);
  }
});

Deno.test("exec does not mind a command that leaves its input unread", async () => {
  await using plugin = await start(exec, deno("Deno.exit(0)"), Deno.cwd());
  await plugin.update(makeUpdate({ content: "x".repeat(5_000_000) }));
});

Deno.test("exec ends the command and what it started when the call is aborted", async () => {
  await using home = await temporaryDirectory();
  await using script = await liveScript(home.path, "sleep 600 & echo ready >&9; wait");
  await using plugin = await start(exec, { command: [script.path] }, home.path);
  const controller = new AbortController();
  const reason = new Error("Took longer than 30s");
  const call = plugin.update(makeUpdate(), controller.signal);
  assert.equal(await script.read(), "ready\n");
  controller.abort(reason);
  await assert.rejects(call, reason);
  assert.equal(await script.read(), null);
});

Deno.test("exec kills a command that ignores SIGTERM", async () => {
  await using home = await temporaryDirectory();
  const code = "trap '' TERM; echo ready >&9; while :; do sleep 1; done";
  await using script = await liveScript(home.path, code);
  await using plugin = await start(exec, { command: [script.path] }, home.path);
  const controller = new AbortController();
  const call = plugin.update(makeUpdate(), controller.signal);
  assert.equal(await script.read(), "ready\n");
  controller.abort();
  await assert.rejects(call, { name: "AbortError" });
  assert.equal(await script.read(), null);
});

Deno.test("exec does not wait for what a command leaves in the background", async () => {
  await using home = await temporaryDirectory();
  await using script = await liveScript(home.path, "sleep 600 & echo $! >&9; echo done");
  await using plugin = await start(exec, { command: [script.path] }, home.path);
  const [pid] = await Promise.all([script.read(), plugin.update(makeUpdate())]);
  assert.deepEqual(plugin.logged, ["info: done"]);
  Deno.kill(Number(pid), "SIGKILL");
  assert.equal(await script.read(), null);
});

/** Writes an executable shell script; returns its path. */
async function shellScript(directory: string, code: string): Promise<string> {
  const path = join(directory, "script.sh");
  await Deno.writeTextFile(path, `#!/bin/sh\n${code}\n`);
  await Deno.chmod(path, 0o755);
  return path;
}

interface LiveScript extends AsyncDisposable {
  readonly path: string;
  /** What comes through descriptor 9; null as soon as nobody is left who has it open. */
  read(): Promise<string | null>;
}

/** A script that all its processes keep a pipe to the test open from, their descriptor 9. */
async function liveScript(directory: string, code: string): Promise<LiveScript> {
  const pipe = join(directory, "alive");
  assert.ok((await new Deno.Command("mkfifo", { args: [pipe] }).output()).success);
  const path = await shellScript(directory, `exec 9>alive; ${code}`);
  let file: Deno.FsFile | undefined;
  return {
    path,
    async read() {
      file ??= await Deno.open(pipe);
      const chunk = new Uint8Array(100);
      const length = await file.read(chunk);
      return length === null ? null : new TextDecoder().decode(chunk.subarray(0, length));
    },
    [Symbol.asyncDispose]: async () => await file?.close(),
  };
}

Deno.test("exec tells when the command was ended by a signal", async () => {
  await using home = await temporaryDirectory();
  const command = [await shellScript(home.path, "kill -KILL $$")];
  await using plugin = await start(exec, { command }, home.path);
  await assert.rejects(plugin.update(makeUpdate()), {
    message: /was ended by SIGKILL for .*: it printed nothing$/,
  });
});

Deno.test("exec starts nothing for a call that was aborted before", async () => {
  await using home = await temporaryDirectory();
  const command = [await shellScript(home.path, "touch started")];
  await using plugin = await start(exec, { command }, home.path);
  await assert.rejects(plugin.update(makeUpdate(), AbortSignal.abort()), { name: "AbortError" });
  await assert.rejects(Deno.stat(join(home.path, "started")), Deno.errors.NotFound);
});

Deno.test("exec rejects what an environment cannot hold", async () => {
  await using plugin = await start(exec, deno("Deno.exit(0)"), Deno.cwd());
  await assert.rejects(plugin.update(makeUpdate({ url: "https://x/\0" })), {
    name: RejectedUpdateError.name,
    message: 'Cannot pass a NUL character to a command: FEEDSYNC_URL is "https://x/\\u0000"',
  });
});

Deno.test("exec finds commands in the configuration's directory and in PATH", async () => {
  await using home = await temporaryDirectory();
  await shellScript(home.path, "echo relative");
  for (const command of [["./script.sh"], [join(home.path, "script.sh")], ["sh", "script.sh"]]) {
    await using plugin = await start(exec, { command }, home.path);
    await plugin.update(makeUpdate());
    assert.deepEqual(plugin.logged, ["info: relative"]);
  }
});

Deno.test("exec refuses a command that cannot be run, when it is set up", async () => {
  await using home = await temporaryDirectory();
  await Deno.writeTextFile(join(home.path, "plain.txt"), "");
  await Deno.chmod(join(home.path, "plain.txt"), 0o644);
  for (const command of ["./missing.sh", "./plain.txt", "./", "no-such-command-anywhere"]) {
    const error = await start(exec, { command: [command] }, home.path)
      .catch((error: unknown) => error);
    assert.ok(error instanceof ConfigError, command);
    assert.ok(error.message.startsWith(`Cannot run "${command}": no executable file `));
  }
});

Deno.test("exec refuses options that are wrong", async () => {
  for (const options of [{}, { command: [] }, { command: "ls" }, { command: [""] }]) {
    await assert.rejects(start(exec, options), /command/, JSON.stringify(options));
  }
  await assert.rejects(start(exec, { command: ["ls"], shell: true }), /shell/);
});

/** Ends when as many of it as `count` are running. */
const WAIT_FOR_OTHERS = (count: number) => `
  await Deno.writeTextFile("running-" + Deno.env.get("FEEDSYNC_SEQ"), "");
  for (;;) {
    const files = [...Deno.readDirSync(".")].filter(({ name }) => name.startsWith("running-"));
    if (files.length >= ${count}) break;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
`;

Deno.test("exec runs so many commands at a time for the feeds of one publisher", async () => {
  await using home = await temporaryDirectory();
  const directory = home.path, store = "file:store";
  await using web1 = await connect({ store, server: "web-1" }, { directory });
  await publish(
    web1,
    ["a", "b", "c"].map((name) => ({ url: `https://example.com/${name}`, content: name })),
  );
  await using web2 = await connect({ store, server: "web-2" }, { directory });
  const { command: [program, ...args] } = deno(WAIT_FOR_OTHERS(3));
  const options = { command: [program, ...args] as const, concurrency: 3 };
  await using watcher = watch(web2, [[exec, options]], { manual: true });
  const { applied } = await watcher.poll();
  assert.equal(applied, 3);
});
