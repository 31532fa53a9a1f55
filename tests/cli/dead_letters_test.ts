import assert from "node:assert/strict";
import { openStore } from "../../lib/stores/open.ts";
import { feedsync } from "./feedsync.ts";
import { letter, serverWith, statuses, STREAM } from "./dead_letters/server.ts";

Deno.test("dead-letters list prints a line each, as text or in a stable JSON form", async () => {
  await using server = await serverWith([letter(1), letter(2, { error: "two\nlines" })]);
  server.fill();
  const text = await server.run("list");
  assert.equal(text.code, 0, text.stderr);
  assert.equal(
    text.stdout,
    `1  2026-01-01T00:00:00.001Z  picky  ${STREAM}/1  https://example.com/  Error 1\n` +
      `2  2026-01-01T00:00:00.002Z  picky  ${STREAM}/2  https://example.com/  two\\u000alines\n`,
  );
  const [first, ...others] = (await server.run("list", "1", "--json")).json();
  assert.deepEqual(others, []);
  assert.deepEqual(first, {
    id: 1,
    plugin: "picky",
    stream: STREAM,
    seq: 1,
    url: "https://example.com/",
    error: "Error 1",
    time: "2026-01-01T00:00:00.001Z",
  });
});

Deno.test("dead-letters show prints the update as it is stored", async () => {
  await using server = await serverWith([letter(1), letter(2)]);
  server.fill();
  const text = await server.run("show", "2");
  const [line, update, ...others] = text.stdout.split("\n");
  assert.deepEqual(others, [""]);
  assert.match(line, /^2 .* Error 2$/);
  assert.equal(update, letter(2).content);
  const [{ error, update: parsed }] = (await server.run("show", "2", "--json")).json();
  assert.deepEqual([error, parsed], ["Error 2", JSON.parse(letter(2).content)]);
});

Deno.test("dead-letters drop forgets what it is told to, and says so", async () => {
  await using server = await serverWith([letter(1), letter(2), letter(3)]);
  server.fill();
  assert.match((await server.run("drop", "2")).stdout, /^dropped {2}2 [^\n]*\n$/);
  assert.deepEqual(server.kept().map(([id]) => id), [1, 3]);
  const all = await server.run("drop", "--all", "--json");
  assert.deepEqual(statuses(all), [["dropped", 1], ["dropped", 3]]);
  server.fill();
  assert.deepEqual(server.kept().map(([id]) => id), [4, 5, 6], "no id is used again");
});

Deno.test("an unknown dead letter ends with 65, wrong usage with 64, and nothing is done", async () => {
  await using server = await serverWith([letter(1)]);
  server.fill();
  const cases: [string[], number, RegExp][] = [
    [["show", "2"], 65, /There is no dead letter 2 in .*web-2\.db/],
    [["drop", "1", "7", "x"], 65, /There is no dead letter 7, x in/],
    [["retry", "1", "7"], 65, /There is no dead letter 7 in/],
    [[], 64, /list, show, retry or drop is missing/],
    [["lst"], 64, /Unknown action "lst" of dead-letters, did you mean "list"\?/],
    [["drop"], 64, /give an ID or --all/],
    [["drop", "1", "--all"], 64, /Cannot use --all with an ID/],
  ];
  const outcomes = await Promise.all(cases.map(([args]) => server.run(...args)));
  for (const [index, { code, stdout, stderr }] of outcomes.entries()) {
    const [, expected, message] = cases[index];
    assert.match(stderr, message);
    assert.deepEqual([code, stdout], [expected, ""]);
  }
  assert.deepEqual(server.kept(), [[1, "Error 1"]]);
});

Deno.test("dead-letters of a state that is not there is an error, and makes none", async () => {
  await using server = await serverWith([]);
  const { code, stderr } = await server.run("list");
  assert.equal(code, 78);
  assert.match(stderr, /There is no state .*web-2\.db: use the --config, --server and --state/);
  assert.equal(await server.file("web-2.db"), "");
});

Deno.test("watch warns of dead letters at its start and at its end, and tells their number in JSON", async () => {
  await using server = await serverWith([letter(1), letter(2)]);
  const watch = (...args: string[]) => feedsync(["watch", "--once", ...args], { cwd: server.path });
  assert.doesNotMatch((await watch()).stderr, /dead letter/);
  server.fill();
  const text = await watch();
  assert.equal(text.code, 0, text.stderr);
  const warning = /warn {2}2 dead letters wait, see `feedsync dead-letters list`/g;
  assert.equal(text.stderr.match(warning)?.length, 2, text.stderr);
  const lines = (await watch("--json")).stderr.trim().split("\n").map((line) => JSON.parse(line));
  const status = lines.find(({ message }) => message.startsWith("Requests:"));
  assert.equal(status.properties.deadLetters, 2);
});

Deno.test("dead-letters needs no store", async () => {
  const store = "s3://bucket//some/prefix/";
  const s3 = { endpoint: "http://127.0.0.1:9", region: "us-east-1" };
  await using server = await serverWith([letter(1)], { store });
  await using opened = await openStore(store, s3);
  server.fill(opened.url);
  const { code, stdout, stderr } = await server.run("retry");
  assert.equal(code, 0, stderr);
  assert.match(stdout, /^applied {2}1 /);
});
