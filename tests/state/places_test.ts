import assert from "node:assert/strict";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { systemEnvironment } from "../../lib/base/environment.ts";
import { State } from "../../lib/state/state.ts";
import { urlOf } from "../fixture.ts";
import { temporaryDirectory } from "../plugins/harness.ts";

const STREAM = "web-1_abcdefgh", OWNER = { server: "web-2", store: "memory:" };

/** How version 0.1 notes an update. */
const NOTE_0_1 = `INSERT INTO newest VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET
  time = excluded.time, id = excluded.id, hash = excluded.hash
  WHERE (excluded.time, excluded.id) > (time, id)`;

/** Undoes format 14. */
const FORMAT_13 = `
DROP TRIGGER place_of_replaced; DROP TRIGGER place_of_corrected; DROP TRIGGER place_of_forgotten;
DROP VIEW placed_newest; DROP TABLE places;
CREATE TABLE places (
  url TEXT PRIMARY KEY, id TEXT NOT NULL, stream TEXT, seq INTEGER, delivered INTEGER
) STRICT, WITHOUT ROWID;
CREATE VIEW placed_newest AS
SELECT newest.url, time, newest.id, hash, places.id AS placedId, stream, seq, delivered
FROM newest LEFT JOIN places ON places.url = newest.url;
UPDATE meta SET value = 13 WHERE key = 'format';
`;

function openState(path: string): State {
  return new State(path, OWNER, systemEnvironment.random);
}

function placesOf({ newest }: State) {
  return [...newest.feeds()].map(({ url, place }) => [url, place?.seq]);
}

Deno.test("places of a state before format 14 are taken over, unless they are outdated", async () => {
  await using home = await temporaryDirectory();
  const path = join(home.path, "web-2.db");
  openState(path)[Symbol.dispose]();
  {
    using db = new DatabaseSync(path);
    db.exec(FORMAT_13);
    const note = db.prepare(NOTE_0_1), place = db.prepare("INSERT INTO places VALUES (?,?,?,?,?)");
    for (const [index, letter] of ["a", "b", "c"].entries()) {
      note.run(urlOf(letter), 1000 - index, letter, "hash");
      place.run(urlOf(letter), letter, STREAM, index + 1, letter === "b" ? 0 : null);
    }
    note.run(urlOf("c"), 2000, "newer", "hash");
    note.run(urlOf("d"), 500, "d", "hash");
  }
  using state = openState(path);
  state.cursors.noteReach(STREAM, 3);
  const expected = { a: 1, b: 2, c: undefined, d: undefined };
  assert.deepEqual(placesOf(state), Object.entries(expected).map(([at, seq]) => [urlOf(at), seq]));
  const delivered = state.newest.deliveredPage("", 10).map(({ url }) => url);
  assert.deepEqual(delivered, ["a", "c", "d"].map(urlOf));
});

Deno.test("an update that 0.1 notes has no place, neither its own nor that of the one before", async () => {
  await using home = await temporaryDirectory();
  const path = join(home.path, "web-2.db"), url = urlOf("a"), time = 1000;
  using state = openState(path);
  const note = (id: string, seq: number) =>
    state.newest.note(url, { time, id, hash: "hash" }, { place: { stream: STREAM, seq } });
  note("a", 1);
  using db = new DatabaseSync(path);
  db.prepare(NOTE_0_1).run(url, time, "b", "hash");
  assert.deepEqual(placesOf(state), [[url, undefined]]);
  note("c", 3);
  assert.deepEqual(placesOf(state), [[url, 3]]);
  db.exec("DELETE FROM newest");
  assert.equal(db.prepare("SELECT count(*) AS count FROM places").get()!.count, 0);
});

Deno.test("an update whose time is corrected keeps its place, and what is known of its delivery", () => {
  using state = openState(":memory:");
  const { newest, cursors } = state, url = urlOf("a");
  newest.note(url, { time: 1000, id: "a", hash: null }, { place: { stream: STREAM, seq: 1 } });
  cursors.noteReach(STREAM, 1);
  newest.noteMissed(STREAM, { first: 1, last: 1 });
  newest.setTime(url, "a", 2000);
  newest.shiftTimes(50);
  assert.deepEqual(newest.get(url)?.place, { stream: STREAM, seq: 1 });
  assert.equal(newest.delivered(url), undefined);
  newest.noteDelivered(url, "a");
  assert.equal(newest.delivered(url)?.time, 2050);
});

Deno.test("of two updates of a feed that come together, the place of the newer one is kept", async () => {
  await using home = await temporaryDirectory();
  const path = join(home.path, "web-2.db");
  using state = openState(path);
  const updates = ["a", "a", ..."bcdefghi"].map((letter, index) => ({
    ...{ feed: urlOf(letter), time: 1000 + index, id: `${index}`, hash: "hash" },
    place: { stream: STREAM, seq: index + 1 },
  }));
  state.transaction(() => state.newest.noteAll(updates, {}));
  assert.deepEqual(placesOf(state)[0], [urlOf("a"), 2]);
  using db = new DatabaseSync(path);
  assert.equal(db.prepare("SELECT count(*) AS count FROM places").get()!.count, 9);
});
