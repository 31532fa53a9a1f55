/** What holds for a while is told when it begins, every hour, and when it is over. */
import assert from "node:assert/strict";
import { BackendUnavailableError, StoreUnavailableError } from "../../lib/errors.ts";
import { watch } from "../../lib/watch.ts";
import { captureLog, Keys } from "../encryption/keys.ts";
import { Fleet } from "../fixture.ts";
import { failing } from "../memory_store.ts";

const MINUTE = 60_000, HOUR = 60 * MINUTE;

/** How often it is told of what holds for two and a half hours. */
const TIMES = 3;

function count(lines: readonly string[], pattern: RegExp): number {
  return lines.filter((line) => pattern.test(line)).length;
}

Deno.test("a stream that a damaged object holds up is told every hour, and that it goes on", async () => {
  await using fleet = new Fleet();
  using log = captureLog();
  const web1 = fleet.server("web-1");
  await fleet.publish(web1, "a", "b");
  const [, key] = fleet.keys("tail/"), { body } = fleet.store.objects.get(key)!;
  await fleet.store.put(key, body.subarray(0, 20));
  const received: unknown[] = [];
  await using _ = watch(
    fleet.server("web-2", { presence: false }),
    ({ content }) => void received.push(content),
  );
  await fleet.time.pass(2.5 * HOUR);
  assert.equal(count(log.lines, /^error: Cannot read tail.*it holds up its stream/), TIMES);
  await fleet.store.put(key, body);
  await fleet.time.pass(2 * MINUTE);
  assert.deepEqual(received, ["a", "b"]);
  assert.equal(count(log.lines, /^info: web-1_\w{8} is no longer held up$/), 1);
  await fleet.time.pass(2 * HOUR);
  assert.equal(count(log.lines, /it holds up its stream/), TIMES);
});

Deno.test("objects that wait for a key are told every hour, and that they wait no longer", async () => {
  await using keys = await Keys.make();
  await using both = await keys.copy();
  await both.add();
  await both.putFirst((await both.kids())[1]);
  await using fleet = new Fleet();
  using log = captureLog();
  const web1 = fleet.server("web-1", { envelope: await both.envelope() });
  await fleet.publish(web1, "a", "b");
  const envelope = await keys.envelope(), received: unknown[] = [];
  await using _ = watch(
    fleet.server("web-2", { presence: false, envelope }),
    ({ content }) => void received.push(content),
  );
  await fleet.time.pass(2.5 * HOUR);
  assert.equal(count(log.lines, /wait until this server has the key/), TIMES);
  await keys.replaceBy(both);
  await fleet.time.pass(5 * MINUTE);
  assert.deepEqual(received, ["a", "b"]);
  assert.equal(count(log.lines, /^info: Objects encrypted with the key \S+ hold up web-1_/), 1);
});

Deno.test("a backend that is down is told every hour, and that it is there again", async () => {
  await using fleet = new Fleet();
  using log = captureLog();
  await fleet.publish(fleet.server("web-1"), "a", "b", "c", "d");
  let isAway = true;
  await using _ = watch(fleet.server("web-2", { presence: false }), () => {
    if (isAway) throw new BackendUnavailableError("refused");
  });
  await fleet.time.pass(2.5 * HOUR);
  assert.equal(count(log.lines, /cannot reach its backend, reading waits/), TIMES);
  isAway = false;
  await fleet.time.pass(5 * MINUTE);
  assert.equal(count(log.lines, /^info: .* works again$/), 1);
});

Deno.test("a backend that keeps a plugin from being set up is told every hour, and its end", async () => {
  await using fleet = new Fleet();
  using log = captureLog();
  let isAway = true;
  const plugin = {
    name: "late",
    setup() {
      if (isAway) throw new BackendUnavailableError("database is locked");
    },
    onUpdate() {},
  };
  await using _ = watch(fleet.server("web-2", { presence: false }), plugin);
  await fleet.time.pass(2.5 * HOUR);
  assert.equal(count(log.lines, /setup is tried again/), TIMES);
  isAway = false;
  await fleet.time.pass(2 * MINUTE);
  assert.equal(count(log.lines, /^info: The plugins are set up$/), 1);
});

Deno.test("a store that is down is told every hour, and that it is there again", async () => {
  await using fleet = new Fleet();
  using log = captureLog();
  await using _ = watch(fleet.server("web-2", { presence: false }), () => {});
  await fleet.time.pass(MINUTE);
  const recover = fleet.store.before("list", failing(new StoreUnavailableError("no route")));
  await fleet.time.pass(2.5 * HOUR);
  assert.equal(count(log.lines, /^warning: no route \(retrying; nothing is lost\)$/), TIMES);
  recover();
  await fleet.time.pass(2 * MINUTE);
  assert.equal(count(log.lines, /^info: The store can be reached again$/), 1);
});
