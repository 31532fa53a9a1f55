import assert from "node:assert/strict";
import { BadInputError, exitCodeOf, Interrupted, UsageError } from "../../lib/cli/exit.ts";
import {
  AccessDeniedError,
  ConfigError,
  InvalidUpdateError,
  StateError,
  StoreUnavailableError,
} from "../../lib/errors.ts";

Deno.test("each kind of failure has its exit code", () => {
  const cases: [unknown, number][] = [
    [new UsageError(""), 64],
    [new InvalidUpdateError(""), 65],
    [new BadInputError(""), 65],
    [new StoreUnavailableError(""), 69],
    [new StoreUnavailableError("", { queued: 1 }), 75],
    [new AccessDeniedError(""), 77],
    [new ConfigError(""), 78],
    [new StateError(""), 78],
    [new Interrupted("SIGINT"), 130],
    [new Interrupted("SIGTERM"), 143],
    [new Deno.errors.BrokenPipe(), 0],
    [new Error(""), 1],
    ["thrown", 1],
  ];
  for (const [error, code] of cases) assert.equal(exitCodeOf(error), code, String(error));
});
