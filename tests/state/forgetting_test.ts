import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { cleanUp, problemsOf } from "../../lib/retention/clean_up.ts";
import { objectName } from "../../lib/log/names.ts";
import { asRow, asSeq } from "../../lib/log/positions.ts";
import { accept } from "../../lib/publishing/accept.ts";
import { prepareUpdate } from "../../lib/publishing/prepare.ts";
import { MAX_GONE_STREAMS, type Survey } from "../../lib/state/forgetting.ts";
import { State } from "../../lib/state/state.ts";
import { acceptInto, Fleet, type Received, urlOf } from "../fixture.ts";
import { VirtualTime } from "../virtual_time.ts";

const HOUR = 60 * 60 * 1000, DAY = 24 * HOUR;

/** A state file, into which the test looks. */
class Watched implements Disposable {
  readonly state: State;
  readonly #directory = Deno.makeTempDirSync();
  readonly #db: DatabaseSync;

  constructor(server: string, time: VirtualTime) {
    const path = `${this.#directory}/state.db`;
    this.state = new State(path, { server, store: "memory:" }, time.random);
    this.#db = new DatabaseSync(path);
  }

  count(table: string): number {
    return Number(this.#db.prepare(`SELECT count(*) AS count FROM ${table}`).get()!.count);
  }

  streams(): string[] {
    const rows = this.#db.prepare("SELECT stream FROM cursors ORDER BY stream").all();
    return rows.map(({ stream }) => String(stream));
  }

  survey(survey: Partial<Survey> & { now: number }): void {
    const { streams = [], ownKeys = [], now, localNow = now, retentionMs = DAY } = survey;
    this.state.transaction(() =>
      this.state.forgetting.survey({ streams, ownKeys, now, localNow, retentionMs })
    );
  }

  [Symbol.dispose](): void {
    this.#db.close();
    this.state[Symbol.dispose]();
    Deno.removeSync(this.#directory, { recursive: true });
  }
}

/** Polls and cleans up four times a day. */
async function live(fleet: Fleet, reader: Received, days: number): Promise<void> {
  for (let quarter = 0; quarter < 4 * days; quarter++) {
    fleet.time.skip(DAY / 4);
    await cleanUp(fleet.log, { maxAge: DAY, problems: problemsOf(fleet.time) });
    await fleet.time.run(reader.watcher.poll());
  }
}

Deno.test("streams that are gone are forgotten after four times the retention, others are not", async () => {
  const fleet = new Fleet();
  using watched = new Watched("reader", fleet.time);
  await using _fleet = fleet;
  const web1 = fleet.server("web-1");
  await using reader = fleet.watch(fleet.server("reader", { state: watched.state }));
  await fleet.publish(web1, "a");
  for (let i = 1; i <= 50; i++) await fleet.publish(fleet.server(`job-${i}`), `job${i}`);
  await fleet.time.run(reader.watcher.poll());
  assert.equal(watched.streams().length, 51);
  await live(fleet, reader, 5);
  assert.equal(watched.streams().length, 51, "gone for less than four days");
  await fleet.publish(web1, "b");
  await live(fleet, reader, 1.5);
  assert.deepEqual(
    watched.streams(),
    [web1.stream],
    "the one that was begun since the first expired",
  );
  assert.deepEqual(reader.contents.slice(51), ["b"]);
  assert.deepEqual(reader.gaps, []);
});

Deno.test("a stream that shows up again before that is not read again", async () => {
  const fleet = new Fleet();
  using watched = new Watched("reader", fleet.time);
  await using _fleet = fleet;
  const web1 = fleet.server("web-1");
  await using reader = fleet.watch(fleet.server("reader", { state: watched.state }));
  await fleet.publish(web1, "a", "b");
  await fleet.time.run(reader.watcher.poll());
  const [, key] = fleet.keys("tail/"), { body } = fleet.store.objects.get(key)!;
  await live(fleet, reader, 5);
  assert.deepEqual(fleet.keys("tail/"), []);
  await fleet.store.put(key, body);
  await live(fleet, reader, 4);
  assert.equal(watched.streams().length, 1, "it was listed in between");
  assert.deepEqual([reader.contents, reader.gaps], [["a", "b"], []]);
});

Deno.test("what a stream had that vanished while this server was away is a gap months later", async () => {
  const fleet = new Fleet();
  using watched = new Watched("reader", fleet.time);
  await using _fleet = fleet;
  const web1 = fleet.server("web-1"), { stream } = web1;
  await using reader = fleet.watch(fleet.server("reader", { state: watched.state }));
  await fleet.publish(web1, "a");
  await fleet.time.run(reader.watcher.poll());
  await fleet.publish(web1, "b", "c");
  fleet.time.skip(3 * DAY);
  await live(fleet, reader, 60);
  assert.deepEqual(fleet.keys("tail/"), []);
  await fleet.publish(web1, "d");
  for (let poll = 0; poll < 2; poll++) await fleet.time.run(reader.watcher.poll());
  assert.deepEqual(reader.gaps, [{ stream, first: 2, last: 3 }]);
  assert.deepEqual(reader.contents.toSorted(), ["a", "b", "c", "d"], "b and c were restored");
  await fleet.time.run(reader.watcher.close());
});

Deno.test("what is not read yet is not forgotten, nor an own stream", () => {
  const time = new VirtualTime();
  using watched = new Watched("web-1", time);
  const { cursors, ownStream } = watched.state;
  const own = ownStream.load().stream;
  cursors.enter(own, 5);
  cursors.noteReach("unread_abcdefgh", 3);
  cursors.enter("read_abcdefgh", 3);
  for (let day = 0; day < 400; day++) watched.survey({ now: day * DAY });
  assert.deepEqual(watched.streams(), [own, "unread_abcdefgh"].sort());
});

Deno.test("a clock that was set forward and back has nothing forgotten that is listed", () => {
  const time = new VirtualTime();
  using watched = new Watched("web-1", time);
  watched.state.cursors.enter("other_abcdefgh", 3);
  const streams = ["other_abcdefgh"];
  for (const now of [0, 900 * DAY, DAY]) watched.survey({ streams, now });
  assert.deepEqual(watched.streams(), streams);
});

Deno.test("of streams that are gone no more than a bound are remembered, those read before others", () => {
  const time = new VirtualTime();
  using watched = new Watched("web-1", time);
  const { state } = watched;
  state.transaction(() => {
    state.cursors.enter("zzz_abcdefgh", 1);
    for (let i = 0; i < MAX_GONE_STREAMS + 500; i++) {
      state.cursors.noteReach(`evil-${i}_abcdefgh`, 1);
      state.cursors.giveUp(`evil-${i}_abcdefgh`);
    }
  });
  watched.survey({ now: 0 });
  assert.equal(watched.count("cursors"), MAX_GONE_STREAMS);
  assert.equal(watched.count("forgettable"), MAX_GONE_STREAMS);
  assert.equal(state.cursors.get("zzz_abcdefgh"), 1);
});

Deno.test("a fork is forgotten once nobody can read its stream any more", () => {
  const time = new VirtualTime();
  using watched = new Watched("web-1", time);
  const { state } = watched, { ownStream, former, cursors } = state;
  const begun = time.clock.now(), { stream } = ownStream.load();
  const update = prepareUpdate({ url: "https://example.com/", content: "a" });
  for (let i = 0; i < 3; i++) accept(acceptInto(state, time), update);
  const seen = objectName({ kind: "tail", stream, first: 1, last: 1, writer: "aaaaaaaa" });
  state.transaction(() => {
    ownStream.noteRepublished(asRow(0));
    former.add({ stream, base: asRow(0), uploadedSeq: asSeq(0) }, begun);
    former.noteSeen(seen);
    cursors.setBack(stream, asSeq(0));
    ownStream.begin("web-1_bbbbbbbb", { base: asRow(0), previous: stream });
  });
  const tables = ["former_streams", "seen_objects", "republished", "cursors"];
  const counts = () => tables.map((table) => watched.count(table));
  const liveUntil = (day: number, streams: string[]) => {
    for (let now = begun; now <= begun + day * DAY; now += DAY / 2) {
      watched.survey({ now, streams, ownKeys: [seen.key] });
    }
  };
  liveUntil(6, []);
  assert.deepEqual(counts(), [1, 1, 3, 1], "another copy may write there");
  liveUntil(20, [stream]);
  assert.deepEqual(counts(), [0, 0, 3, 1], "there is something in it");
  for (let day = 20; day < 26; day++) watched.survey({ now: begun + day * DAY });
  assert.deepEqual(counts(), [0, 0, 0, 0]);
  assert.equal(watched.count("forgettable"), 0);
});

Deno.test("objects that were looked into are forgotten when they have expired, by their age", () => {
  const time = new VirtualTime();
  using watched = new Watched("web-1", time);
  const { former, ownStream } = watched.state, { stream } = ownStream.load();
  const name = (kind: "tail" | "segments", last: number) =>
    objectName({ kind, stream, first: last, last, writer: "aaaaaaaa" });
  const listed = name("tail", 9);
  for (const seen of [listed, name("tail", 1), name("segments", 2)]) former.noteSeen(seen);
  const ownKeys = [listed.key];
  for (let day = 0; day < 30; day++) {
    watched.survey({ now: day * DAY, ownKeys, retentionMs: false });
  }
  assert.equal(watched.count("seen_objects"), 3, "nothing ever expires");
  for (let day = 30; day < 36; day++) watched.survey({ now: day * DAY, ownKeys });
  assert.equal(watched.count("seen_objects"), 1);
  assert.ok(former.hasSeen(listed));
});

Deno.test("that a file is gone is forgotten after a month, unless it comes back", () => {
  const time = new VirtualTime();
  using watched = new Watched("web-1", time);
  const { files } = watched.state;
  files.note("/feeds/there.feed", "hash");
  for (const name of ["gone", "back"]) files.note(`/feeds/${name}.feed`, null);
  for (let day = 0; day < 40; day++) {
    if (day === 20) files.note("/feeds/back.feed", "hash");
    if (day === 21) files.note("/feeds/back.feed", null);
    watched.survey({ now: day * DAY });
    if (day === 29) assert.equal(files.get("/feeds/gone.feed"), null);
  }
  assert.equal(files.get("/feeds/there.feed"), "hash");
  assert.equal(files.get("/feeds/gone.feed"), undefined);
  assert.equal(files.get("/feeds/back.feed"), null, "it was there in between");
});

Deno.test("made-up feeds with long URLs take no more than a bound, real ones stay", () => {
  const time = new VirtualTime();
  using watched = new Watched("web-1", time);
  const { state } = watched, { newest } = state;
  const version = (time: number) => ({ time, id: crypto.randomUUID(), hash: null });
  state.transaction(() => {
    for (let i = 0; i < 1_000; i++) newest.note(urlOf(`real-${i}`), version(i));
    for (let i = 0; i < 3_000; i++) {
      newest.note(urlOf(`${i}/`.padEnd(32_000, "x")), version(5_000 + i));
    }
  });
  const made = watched.count("newest") - 1_000;
  assert.ok(made > 200 && made < 450, `${made} URLs of 32,000 characters`);
  assert.ok(newest.get(urlOf("real-0")) && newest.get(urlOf("real-999")));
  assert.ok(newest.get(urlOf("2999/".padEnd(32_000, "x"))), "the newest");
});

Deno.test("of a file that is gone, its feed is forgotten with it", () => {
  const time = new VirtualTime();
  using watched = new Watched("reader", time);
  const { files } = watched.state, now = time.clock.now();
  for (const [path, hash] of [["/gone", null], ["/there", "hash"]] as const) {
    files.note(path, hash);
    files.noteFeed(path, { url: urlOf("a"), removedAt: now });
  }
  watched.survey({ now });
  watched.survey({ now: now + 29 * DAY });
  assert.equal(watched.count("file_feeds"), 2);
  watched.survey({ now: now + 31 * DAY });
  assert.deepEqual([watched.count("files"), watched.count("file_feeds")], [1, 1]);
  assert.equal(files.feed("/there")?.url, urlOf("a"));
});

Deno.test("objects that this server may not delete are forgotten once they have expired", () => {
  const time = new VirtualTime();
  using watched = new Watched("web-1", time);
  const { ownStream } = watched.state, now = time.clock.now();
  const key = (kind: "tail" | "segments", stream: string) =>
    objectName({ kind, stream, first: 1, last: 1, writer: "aaaaaaaa" }).key;
  const former = ownStream.load().stream;
  ownStream.begin("web-1_bcdefghi", { base: asRow(0), previous: former });
  const own = key("tail", "web-1_bcdefghi");
  const all = [own, key("segments", "web-1_bcdefghi"), key("tail", former)];
  for (const garbage of all) ownStream.addGarbage(garbage, now);
  watched.survey({ now });
  watched.survey({ now: now + 3 * DAY });
  assert.equal(watched.count("garbage"), 3);
  watched.survey({ now: now + 4 * DAY });
  assert.deepEqual(ownStream.garbage(Infinity), [own]);
  watched.survey({ now: now + 5 * DAY });
  assert.equal(watched.count("forgettable"), 0);
});
