import assert from "node:assert/strict";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { RejectedUpdateError, StoreUnavailableError } from "../../lib/errors.ts";
import { failureOf } from "../../lib/plugins/failure.ts";
import { BackendUnavailableError } from "../../mod.ts";
import { temporaryDirectory } from "./harness.ts";
import { hangUpOnce, stalledServer, unreachableEndpoint } from "../servers/http.ts";

async function thrownBy(work: () => unknown): Promise<unknown> {
  try {
    await work();
  } catch (error) {
    return error;
  }
  assert.fail("It does not fail");
}

function withCode(code: string): Error {
  return Object.assign(new Error("x"), { code });
}

/** Errors of feedsync as another copy of it has them. */
async function otherCopy(): Promise<typeof import("../../mod.ts")> {
  const { href } = new URL("../../lib/errors.ts?other", import.meta.url);
  return await import(href);
}

Deno.test("failures to reach a backend are told whatever API they come from", async () => {
  await using home = await temporaryDirectory();
  await using hangUp = hangUpOnce("");
  await using silent = stalledServer();
  const { hostname, port } = new URL(unreachableEndpoint());
  const database = () => new DatabaseSync(join(home.path, "x.db"), { timeout: 0 });
  using first = database();
  first.exec("CREATE TABLE t (a); PRAGMA journal_mode = WAL; BEGIN IMMEDIATE");
  using second = database();
  const other = await otherCopy();
  const errors: Record<string, unknown> = {
    "a fetch that is refused": await thrownBy(() => fetch(`http://${hostname}:${port}`)),
    "a fetch that is cut off": await thrownBy(() => fetch(hangUp.endpoint)),
    "a fetch in time": await thrownBy(() =>
      fetch(silent.endpoint, { signal: AbortSignal.timeout(20) })
    ),
    "a connection": await thrownBy(() => Deno.connect({ hostname, port: Number(port) })),
    "a locked database, prepared": await thrownBy(() =>
      second.prepare("INSERT INTO t VALUES (1)").run()
    ),
    "a locked database": await thrownBy(() => second.exec("INSERT INTO t VALUES (1)")),
    "a code": withCode("EDQUOT"),
    "a code of Node's fetch": new TypeError("fetch failed", { cause: withCode("UND_ERR_SOCKET") }),
    "a cause": new Error("Cannot write", { cause: new Error("y", { cause: withCode("ENOSPC") }) }),
    "one of many": new AggregateError([withCode("ECONNREFUSED"), withCode("EHOSTUNREACH")]),
    "a status": Object.assign(new Error("Too many requests"), { status: 429 }),
    "a status code": Object.assign(new Error("Bad gateway"), { statusCode: 502 }),
    "a store": new StoreUnavailableError("x"),
    "feedsync's own": new BackendUnavailableError("x"),
    "another copy's": new other.BackendUnavailableError("x"),
  };
  if (Deno.build.os === "linux") {
    errors["a full disk"] = await thrownBy(() => Deno.writeFile("/dev/full", new Uint8Array(1)));
  }
  for (const [what, error] of Object.entries(errors)) {
    assert.deepEqual(failureOf(error), { kind: "unavailable" }, what);
  }
});

Deno.test("a rejection is one, whichever copy or version of feedsync it comes from", async () => {
  const other = await otherCopy();
  class Picky extends RejectedUpdateError {}
  const older = Object.assign(new Error("x"), { name: "RejectedUpdateError" });
  for (
    const error of [
      new RejectedUpdateError("x"),
      new other.RejectedUpdateError("x"),
      new Picky("x"),
      older,
    ]
  ) {
    assert.deepEqual(failureOf(error), { kind: "rejected" });
  }
});

Deno.test("all else is unexplained: it may be the update", async () => {
  const circular = new Error("x");
  circular.cause = circular;
  const errors: unknown[] = [
    ...[undefined, null, 0, "ECONNREFUSED", {}, new Error("Connection refused"), circular],
    ...[new TypeError("x is not a function"), withCode("ENOENT"), withCode("ENAMETOOLONG")],
    await thrownBy(() => Deno.readFile("/there/is/none")),
    Object.assign(new Error("Not found"), { status: 404 }),
    Object.assign(new Error("Bad"), { status: 500 }),
  ];
  for (const error of errors) {
    assert.deepEqual(failureOf(error), { kind: "unexplained" }, Deno.inspect(error));
  }
});

Deno.test("only a sensible time to wait is taken from an error", () => {
  const times: [unknown, number | undefined][] = [[5, 5], [0, undefined], [-1, undefined], [
    "5",
    undefined,
  ], [NaN, undefined]];
  for (const [retryAfterMs, expected] of times) {
    const error = Object.assign(new BackendUnavailableError("x"), { retryAfterMs });
    assert.equal((failureOf(error) as { retryAfterMs?: number }).retryAfterMs, expected);
  }
});
