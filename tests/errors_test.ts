import assert from "node:assert/strict";
import * as own from "../mod.ts";

/** The errors of the package, as another copy of it has them. */
async function otherCopy(): Promise<typeof own> {
  const { href } = new URL("../lib/errors.ts?copy", import.meta.url);
  return await import(href);
}

const MAKE: Record<string, (errors: typeof own) => Error> = {
  FeedSyncError: ({ FeedSyncError }) => new FeedSyncError("x"),
  StoreUnavailableError: ({ StoreUnavailableError }) => new StoreUnavailableError("x"),
  AccessDeniedError: ({ AccessDeniedError }) => new AccessDeniedError("x"),
  ConfigError: ({ ConfigError }) => new ConfigError("x"),
  StateError: ({ StateError }) => new StateError("x"),
  InvalidUpdateError: ({ InvalidUpdateError }) => new InvalidUpdateError("x"),
  UpdateConflictError: ({ UpdateConflictError }) => new UpdateConflictError("x"),
  CorruptObjectError: ({ CorruptObjectError }) => new CorruptObjectError("a", "x"),
  MissingKeyError: ({ MissingKeyError }) => new MissingKeyError("a", "b", "x"),
  UnsupportedFormatError: ({ UnsupportedFormatError }) => new UnsupportedFormatError("a", 2, 1),
  MissingObjectError: ({ MissingObjectError }) => new MissingObjectError("a"),
  ClosedError: ({ ClosedError }) => new ClosedError("x"),
  UpdatesLostError: ({ UpdatesLostError }) => new UpdatesLostError("x", { lost: 1 }),
  RejectedUpdateError: ({ RejectedUpdateError }) => new RejectedUpdateError("x"),
  BackendUnavailableError: ({ BackendUnavailableError }) => new BackendUnavailableError("x"),
};

const CLASSES = Object.entries(own)
  .filter(([name]) => name.endsWith("Error")) as [string, ErrorConstructor][];

Deno.test("every exported error is recognised when another copy of the package throws it", async () => {
  const other = await otherCopy();
  assert.deepEqual(CLASSES.map(([name]) => name).sort(), Object.keys(MAKE).sort());
  for (const [thrown, make] of Object.entries(MAKE)) {
    for (const error of [make(other), make(own)]) {
      const recognised = CLASSES.filter(([, kind]) => error instanceof kind).map(([name]) => name);
      assert.deepEqual(new Set(recognised), new Set(["FeedSyncError", thrown]));
    }
  }
});

Deno.test("an error of a class that extends one of feedsync's is both, its base is not", () => {
  class TooLong extends own.RejectedUpdateError {}
  assert.ok(new TooLong("x") instanceof TooLong);
  assert.ok(new TooLong("x") instanceof own.RejectedUpdateError);
  assert.ok(!(new own.RejectedUpdateError("x") instanceof TooLong));
  for (const value of [undefined, null, "x", {}, new Error("x"), { name: "RejectedUpdateError" }]) {
    assert.ok(!((value as object) instanceof own.RejectedUpdateError));
  }
});
