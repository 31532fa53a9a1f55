import assert from "node:assert/strict";
import { OnceLog } from "../../lib/base/once_log.ts";
import { ExaminedFiles } from "../../lib/files/watching/examined_files.ts";
import { Examiner } from "../../lib/files/watching/examiner.ts";
import { FeedDirectory } from "../../lib/files/feed_directory.ts";
import type { Mark } from "../../lib/files/watching/debouncer.ts";
import { RemovalGuard } from "../../lib/files/watching/removal_guard.ts";
import { readStatus } from "../../lib/files/file_status.ts";
import { Setting } from "./setting.ts";

const NAME = "https___a.example_.feed";
const EVENT: Mark = { received: new Set() };

/** Examines files in the setting's directory `age` milliseconds after they were modified. */
async function setUp(s: Setting, age: number) {
  await s.write(NAME, "content");
  const now = (await Deno.stat(s.path(NAME))).mtime!.getTime() + age;
  const clock = { now: () => now, elapsed: () => now, setTimer: () => () => {} };
  const directory = new FeedDirectory(s.directory);
  const options = {
    clock,
    publishRemovals: true,
    examined: new ExaminedFiles(),
    problems: new OnceLog(s.log, clock),
  };
  const examiner = new Examiner(directory, s.records, {
    ...options,
    settleMs: 200,
    guard: new RemovalGuard(directory, s.records, options),
    logger: s.log,
  });
  return { directory, examiner };
}

Deno.test("a file that an event told of is read once its last modification is old enough", async () => {
  await using s = new Setting();
  const early = await setUp(s, 199);
  const { fingerprint } = await readStatus(s.path(NAME));
  assert.deepEqual(await early.examiner.examine(NAME, EVENT), { fingerprint });
  assert.equal(s.records.published.length, 0);
  const late = await setUp(s, 200);
  assert.equal(await late.examiner.examine(NAME, EVENT), "published");
});

Deno.test("a file that a scan found is read once it is as it was found, whatever the clock says", async () => {
  await using s = new Setting();
  const { examiner } = await setUp(s, -3_600_000);
  const { fingerprint } = await readStatus(s.path(NAME));
  await s.write(NAME, "more content");
  const changed = await examiner.examine(NAME, { ...EVENT, fingerprint });
  assert.deepEqual(changed, { fingerprint: (await readStatus(s.path(NAME))).fingerprint });
  assert.equal(s.records.published.length, 0);
  assert.equal(await examiner.examine(NAME, { ...EVENT, ...Object(changed) }), "published");
});

Deno.test("a file is gone only when it is missing twice, from the directory it was in", async () => {
  await using s = new Setting();
  const { directory, examiner } = await setUp(s, 1_000);
  directory.trust(await directory.identity());
  await examiner.examine(NAME, EVENT);
  await Deno.rename(s.directory, `${s.root}/aside`);
  const gone = Object(await examiner.examine(NAME, EVENT)) as Mark;
  assert.equal(await examiner.examine(NAME, { ...EVENT, ...gone }), "ignored");
  await Deno.mkdir(s.directory);
  assert.equal(await examiner.examine(NAME, { ...EVENT, ...gone }), "ignored");
  await Deno.remove(s.directory);
  await Deno.rename(`${s.root}/aside`, s.directory);
  await Deno.remove(s.path(NAME));
  assert.equal(await examiner.examine(NAME, { ...EVENT, ...gone }), "removed");
});
