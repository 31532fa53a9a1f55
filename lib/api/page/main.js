/**
 * The page of the local API: shows the events, and connects again whenever that is necessary.
 *
 * @module
 */
import { byId, setText } from "./dom.js";
import { showFleet } from "./fleet.js";
import { showHeadline } from "./headline.js";
import { beginLetters, showLetters } from "./letters.js";
import { beginLines, showLines } from "./lines.js";
import { readEvents } from "./stream.js";
import { beginUpdates, showUpdates } from "./updates.js";

/** @typedef {import("../events/schemas.ts").EventData} EventData */

/** @type {import("./headline.js").Known} */
const known = { connection: "connecting", reason: "", heardAt: 0 };

/** @type {{ [Name in keyof EventData]: (data: EventData[Name]) => void }} */
const SHOW = {
  server(data) {
    known.server = data;
    setText(byId("server"), data.server);
    setText(byId("store"), `${data.store}, feedsync ${data.version}`);
    showLines(data);
  },
  fleet(data) {
    known.fleet = data;
    showFleet(data);
  },
  letters: showLetters,
  updates: showUpdates,
};

beginLetters();
beginLines();
beginUpdates();
readEvents({
  onEvent(name, data) {
    if (!Object.hasOwn(SHOW, name)) return;
    known.heardAt = Date.now();
    SHOW[/** @type {"fleet"} */ (name)](/** @type {EventData["fleet"]} */ (data));
    showHeadline(known);
  },
  onState(state, reason) {
    // What was true before the connection was lost need not be true any more.
    if (state === "live" && known.connection !== "live") known.fleet = undefined;
    known.connection = state;
    known.reason = reason;
    const shown = byId("connection");
    shown.dataset.state = state;
    setText(shown, state === "lost" ? "not connected" : state);
    showHeadline(known);
  },
});
