import assert from "node:assert/strict";
import { State } from "../../lib/state/state.ts";
import { urlOf } from "../fixture.ts";
import { Chance } from "../sim/chance.ts";
import { systemEnvironment } from "../../lib/base/environment.ts";

const STREAM = "web-1_abcdefgh", OWNER = { server: "web-2", store: "memory:" };

function newState(): State {
  return new State(":memory:", OWNER, systemEnvironment.random);
}

function version(time: number, id = "b") {
  return { time, id, hash: "hash" };
}

function had({ newest }: State): string[] {
  return newest.deliveredPage("", 10).map(({ url }) => url);
}

Deno.test("an update in the log counts as had while its stream is read so far, and not in a gap", () => {
  using state = newState();
  const { newest, cursors } = state, url = urlOf("a");
  newest.note(url, version(1), { place: { stream: STREAM, seq: 5 } });
  assert.deepEqual(had(state), [], "nothing is known of the stream: it may be gone");
  cursors.noteReach(STREAM, 5);
  assert.deepEqual(had(state), [url], "it is still to be read");
  newest.noteMissed(STREAM, { first: 1, last: 5 });
  cursors.advance(STREAM, { from: 0, to: 5 });
  assert.deepEqual(had(state), []);
  assert.equal(newest.delivered(url), undefined);
  newest.noteDelivered(url, "b");
  assert.deepEqual(had(state), [url]);
});

Deno.test("an update that was only noted counts by its cursor once it comes in its stream", () => {
  using state = newState();
  const { newest, cursors } = state, url = urlOf("a"), place = { stream: STREAM, seq: 1 };
  newest.note(url, version(1), { place, isDelivered: false });
  cursors.noteReach(STREAM, 1);
  assert.deepEqual(had(state), []);
  newest.note(url, version(1), { place });
  assert.deepEqual(had(state), [url]);
  newest.note(url, version(1), { place, isDelivered: false });
  assert.deepEqual(had(state), [url], "what comes in its stream is not taken back");
});

Deno.test("what plugins have had is had when its stream is forgotten", () => {
  using state = newState();
  const { newest, cursors } = state;
  newest.note(urlOf("a"), version(1), { place: { stream: STREAM, seq: 1 } });
  cursors.advance(STREAM, { from: 0, to: 1 });
  const survey = (now: number) =>
    state.transaction(() =>
      state.forgetting.survey({
        streams: [],
        ownKeys: [],
        now,
        localNow: now,
        retentionMs: 600_000,
      })
    );
  for (const now of [1_000, 1_001_000, 400 * 24 * 3_600_000]) survey(now);
  assert.equal(cursors.knowsAny(), false);
  assert.deepEqual(had(state), [urlOf("a")]);
});

Deno.test("a reason to restore that comes meanwhile is served by the next restore", () => {
  using state = newState();
  const { restoring } = state;
  assert.ok(!restoring.isDue() && !restoring.wasServed());
  restoring.require();
  const reasons = restoring.reasons();
  restoring.require();
  restoring.noteServed(reasons);
  assert.ok(restoring.isDue() && restoring.wasServed());
  restoring.noteServed(restoring.reasons());
  assert.ok(!restoring.isDue());
});

Deno.test("an update that fails in its stream and in one that repeats it is one dead letter", () => {
  using state = newState();
  const { deadLetters } = state;
  const letter = (stream: string, error: string, id = "a") => ({
    ...{ plugin: "webhook", stream, seq: 1, error, time: 1, retryAt: null },
    content: JSON.stringify({ id, url: urlOf("a") }),
  });
  deadLetters.add(letter(STREAM, "first"));
  deadLetters.add(letter("web-1_bbbbbbbb", "second"));
  assert.deepEqual(deadLetters.all().map(({ stream, error }) => [stream, error]), [
    [STREAM, "second"],
  ]);
  deadLetters.add(letter("web-1_bbbbbbbb", "another", "b"));
  deadLetters.add({ ...letter(STREAM, "of another plugin"), plugin: "exec" });
  assert.equal(deadLetters.count(), 3);
});

Deno.test("updates noted together are noted as one after the other", () => {
  const chance = new Chance(7), pick = (count: number) => chance.whole(0, count - 1);
  for (let round = 0; round < 40; round++) {
    using together = newState();
    using apart = newState();
    for (let batch = 0; batch < 6; batch++) {
      // Of few feeds most are known, and some come twice; of many nearly all are news.
      const feeds = round % 2 === 0 ? 30 : 100_000;
      const updates = Array.from({ length: 1 + pick(40) }, (_, index) => ({
        feed: urlOf(`feed-${pick(feeds)}`),
        ...version(1000 + pick(20), `id-${pick(3)}`),
        place: pick(10) === 0 ? undefined : { stream: STREAM, seq: batch * 50 + index + 1 },
      }));
      const missed = { first: batch * 50 + 1, last: batch * 50 + 10 };
      const now = pick(5) === 0 ? -24 * 60 * 60 * 1000 : 1000;
      const noted = together.transaction(() => together.newest.noteAll(updates, { now }));
      const isNews = updates.map(({ feed, place, ...update }) =>
        apart.newest.note(feed, update, { place, now })
      );
      const isSuperseded = updates.map(({ feed, time, id }) =>
        apart.newest.supersedes(feed, time, id)
      );
      assert.deepEqual(noted, { isNews, isSuperseded });
      for (const { newest } of [together, apart]) newest.noteMissed(STREAM, missed);
      assert.deepEqual([...together.newest.feeds()], [...apart.newest.feeds()]);
    }
    for (const { cursors } of [together, apart]) cursors.noteReach(STREAM, 120);
    assert.deepEqual(
      together.newest.deliveredPage("", 1000),
      apart.newest.deliveredPage("", 1000),
    );
  }
});
