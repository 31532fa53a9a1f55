import assert from "node:assert/strict";
import { type Config, connect, publish } from "../../mod.ts";
import { findingsWith } from "../check/findings.ts";
import { onEveryStore } from "./stores.ts";

onEveryStore(
  "check finds nothing wrong with a store that is in use, and its updates can be read",
  async ({ config }) => {
    const server: Config = { ...config, server: "web-1" };
    await using sync = await connect(server);
    for (const content of ["a", "b"]) await publish(sync, { url: "https://example.com/", content });
    const findings = await findingsWith(server);
    assert.deepEqual(findings.filter(({ level }) => level === "error"), []);
    const ok = findings.filter(({ level }) => level === "ok").map(({ what }) => what);
    for (const right of ["list", "write", "read", "delete"]) {
      assert.ok(ok.includes(`The right to ${right} is given`), right);
    }
    assert.ok(ok.some((what) => what.startsWith("The newest commit can be read: tail/web-1_")));
  },
);
