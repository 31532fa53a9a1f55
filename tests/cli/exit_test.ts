import assert from "node:assert/strict";
import {
  BadInputError,
  exitCodeOf,
  Interrupted,
  reportError,
  UsageError,
} from "../../lib/cli/exit.ts";
import {
  AccessDeniedError,
  BackendUnavailableError,
  ConfigError,
  FeedSyncError,
  InvalidUpdateError,
  MissingObjectError,
  StateError,
  StoreUnavailableError,
  UpdatesLostError,
} from "../../lib/errors.ts";

Deno.test("each kind of failure has its exit code", () => {
  const cases: [unknown, number][] = [
    [new UsageError(""), 64],
    [new InvalidUpdateError(""), 65],
    [new BadInputError(""), 65],
    [new StoreUnavailableError(""), 69],
    [new StoreUnavailableError("", { queued: 1 }), 75],
    [new MissingObjectError("tail/a"), 69],
    [new BackendUnavailableError("away"), 69],
    [new AccessDeniedError(""), 77],
    [new ConfigError(""), 78],
    [new StateError(""), 78],
    [new Interrupted("SIGINT"), 130],
    [new Interrupted("SIGTERM"), 143],
    [new Deno.errors.BrokenPipe(), 0],
    [new FeedSyncError(""), 1],
    [new Error(""), 70],
    ["thrown", 70],
  ];
  for (const [error, code] of cases) assert.equal(exitCodeOf(error), code, String(error));
});

Deno.test("updates that are lost in closing count for more than what came first", () => {
  const queued = new StoreUnavailableError("", { queued: 1 });
  const cases: [unknown, number][] = [
    [undefined, 69],
    [new StoreUnavailableError("down"), 69],
    [new AccessDeniedError("no"), 77],
  ];
  for (const [cause, code] of cases) {
    const lost = new UpdatesLostError("1 update is lost", { lost: 1, cause });
    assert.equal(exitCodeOf(lost), code);
    assert.equal(exitCodeOf(new SuppressedError(lost, queued)), code);
  }
  assert.equal(exitCodeOf(new SuppressedError(new Error("in closing"), queued)), 75);
});

Deno.test("what an error quotes commands no terminal, in any form of the report", () => {
  const error = new AccessDeniedError("https://x/\x1b]0;owned\x07\u202e\u2028\x9b31m\nmore");
  const lines: string[] = [];
  const { error: original } = console;
  console.error = (line) => void lines.push(line);
  try {
    for (const json of [false, true]) {
      for (const verbose of [false, true]) reportError(error, { json, verbose });
    }
  } finally {
    console.error = original;
  }
  assert.equal(lines.length, 5);
  for (const line of lines) assert.match(line, /^[ -~\n]+$/);
  assert.equal(JSON.parse(lines.at(-1)!).message, error.message);
});
