/** What becomes of a watcher while the backend of a plugin is away at the start. */
import assert from "node:assert/strict";
import { BackendUnavailableError, ConfigError, definePlugin, watch } from "../../mod.ts";
import { captureLog } from "../encryption/keys.ts";
import { Fleet } from "../fixture.ts";

const MINUTE = 60_000;

/** A plugin whose backend is away until `backAt`, by the clock of the fleet. */
function lateStarter(fleet: Fleet, backAt: number) {
  const applied: unknown[] = [];
  const begunAt = fleet.time.clock.now();
  const plugin = definePlugin({
    name: "late",
    setup() {
      if (fleet.time.clock.now() >= begunAt + backAt) return;
      throw Object.assign(new Error("database is locked"), { code: "EBUSY" });
    },
    onUpdate: ({ content }) => void applied.push(content),
  });
  return { plugin, applied };
}

Deno.test("a plugin that cannot be set up for want of its backend is set up later", async () => {
  await using fleet = new Fleet();
  await fleet.publish(fleet.server("web-1"), "a");
  const { plugin, applied } = lateStarter(fleet, 10 * MINUTE);
  using log = captureLog();
  await using watcher = watch(fleet.server("web-2"), plugin);
  await fleet.time.pass(9 * MINUTE);
  assert.deepEqual(applied, []);
  await fleet.time.pass(3 * MINUTE);
  assert.deepEqual(applied, ["a"]);
  const told = log.lines.filter((line) => line.includes("backend cannot be reached"));
  assert.equal(told.length, 1, told.join("\n"));
  assert.match(told[0], /Cannot set up plugin 'late'.*: database is locked; setup is tried again/);
  await fleet.time.run(watcher.close());
});

Deno.test("a manual watcher gives up setup when its patience ends", async () => {
  await using fleet = new Fleet();
  const { plugin } = lateStarter(fleet, Infinity);
  await using watcher = watch(fleet.server("web-2"), plugin, { manual: true });
  const failure = await fleet.time.run(watcher.poll().catch((error: unknown) => error));
  assert.ok(failure instanceof BackendUnavailableError);
  assert.match(failure.message, /^Cannot set up plugin 'late', its backend cannot be reached: /);
});

Deno.test("a setup that fails for another reason ends the watcher at once", async () => {
  await using fleet = new Fleet();
  const plugin = definePlugin({
    name: "wrong",
    setup() {
      throw new Error("no such table");
    },
    onUpdate() {},
  });
  await using watcher = watch(fleet.server("web-2"), plugin);
  await assert.rejects(watcher.finished, ConfigError);
});

Deno.test("an outagePatience that is no duration is refused", async () => {
  await using fleet = new Fleet();
  const web2 = fleet.server("web-2");
  assert.throws(() => watch(web2, () => {}, { outagePatience: "soon" }), RangeError);
});
