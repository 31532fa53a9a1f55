/** Every request of docs/api.md, as it is written there, to a real `feedsync watch`. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { ROUTES } from "../../lib/api/routes.ts";
import { workspace } from "../cli/feedsync.ts";
import { Running } from "../cli/running.ts";
import { PAGE, withReference } from "./reference.ts";

const page = await Deno.readTextFile(PAGE);

interface Block {
  readonly language: string;
  readonly text: string;
}

const blocks: Block[] = [...page.matchAll(/^```(\w+)\n(.*?)^```$/gms)]
  .map(([, language, text]) => ({ language, text }));

Deno.test("the reference of the API is what the routes say", () => {
  const message = "Run `deno run -A tests/api/reference.ts`";
  assert.equal(withReference(page), page, message);
});

Deno.test("the documentation has a request to every route", () => {
  const requests = blocks.filter(({ language }) => language === "sh").map(({ text }) => text);
  for (const { method, path } of ROUTES) {
    const url = path.replace("/v1/consumers/{name}", "/v1/consumers/reader")
      .replace("{id}", "job-42").replace("{file}", "well.svg");
    const isRequest = requests.some((text) => {
      const isTo = new RegExp(`\\$api${url}["?]`).test(text);
      const isPost = /--data/.test(text);
      const [, sent = isPost ? "POST" : "GET"] = /-X (\w+)/.exec(text) ?? [];
      return isTo && sent === method.toUpperCase() || method === "get" && isTo && !/-X/.test(text);
    });
    assert.ok(isRequest, `${method} ${path}`);
  }
});

/** A port that nobody else uses, as far as that can be known. */
function freePort(): number {
  using listener = Deno.listen({ port: 0, hostname: "127.0.0.1" });
  return listener.addr.port;
}

/** Runs shell in a directory, and returns what it prints. */
async function shell(script: string, cwd: string): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command("bash", {
    args: ["-euo", "pipefail", "-c", script],
    cwd,
  }).output();
  const [out, err] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
  assert.ok(success, `${script}\n${out}${err}`);
  return out;
}

/** What a value is made of: the types of its members, and texts that are not made by chance. */
function shapeOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(shapeOf);
  if (typeof value !== "object" || value === null) {
    const isFixed = typeof value === "boolean" || typeof value === "string" && !/\d/.test(value);
    return isFixed ? value : typeof value;
  }
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, shapeOf(member)]));
}

/** How an answer differs from the documented one. */
function differenceOf(printed: string, answer: Block | undefined): string | undefined {
  if (answer === undefined) return printed === "" ? undefined : printed;
  if (answer.language === "xml" || answer.language === "text") {
    return printed.trimEnd() === answer.text.trimEnd() ? undefined : printed;
  }
  const parse = (lines: string) =>
    answer.language === "json"
      ? JSON.parse(lines)
      : lines.split("\n").filter(Boolean).map((line) => JSON.parse(line));
  const expected = parse(answer.text), actual = parse(printed);
  // A fast store may have it already.
  if (expected.status === "queued" && actual.status === "published") return undefined;
  // The page shows the beginning of the list of all feeds.
  const compared = Array.isArray(actual) ? actual.slice(0, expected.length) : actual;
  return isDeepStrictEqual(shapeOf(compared), shapeOf(expected)) ? undefined : printed;
}

Deno.test("every request of the documentation is answered as it says", async () => {
  const [settings, setUp, ...rest] = blocks;
  const address = `127.0.0.1:${freePort()}`;
  const here = (text: string) => text.replaceAll("127.0.0.1:7071", address);
  await using home = await workspace({ "feedsync.jsonc": here(settings.text) });
  await using watch = new Running(["watch"], { cwd: home.path });
  await watch.says(/Serving the API/);
  for (const [index, { language, text }] of rest.entries()) {
    if (language !== "sh") continue;
    const answered = rest[index + 1]?.language === "sh" ? undefined : rest[index + 1];
    const run = () => shell(here(setUp.text) + text, home.path);
    // What was queued is stored a moment later.
    const attempts = /-X|--data/.test(text) ? 1 : 20;
    for (let attempt = 1; attempt <= attempts; attempt++) {
      const problem = differenceOf(await run(), answered);
      if (problem === undefined) break;
      assert.notEqual(attempt, attempts, `${text}${problem}`);
    }
  }
  assert.match(await Deno.readTextFile(join(home.path, ".feedsync", "web-1.token")), /^\S{43}\n$/);
  watch.kill("SIGTERM");
  const { stderr } = await watch.end();
  assert.doesNotMatch(stderr, /warn|error/i);
});
