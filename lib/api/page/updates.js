/**
 * Updates as they arrive.
 *
 * @module
 */
import { byId, element, setText } from "./dom.js";
import { clockTime, counted } from "./words.js";

/**
 * @typedef {import("../events/schemas.ts").EventData["updates"]} Updates
 * @typedef {Updates["updates"][number]} Update
 */

/** Maximum number of rows, and of those that wait during a pause. */
const MAX_ROWS = 100;

let isPaused = false;

/**
 * Those that arrived during a pause.
 *
 * @type {Update[]}
 */
let waiting = [];

/** The number of the last one, and how many have come since the pause. */
let lastNumber = 0, held = 0;

/** Has the button work. */
export function beginUpdates() {
  const button = byId("pause");
  button.addEventListener("click", () => {
    isPaused = !isPaused;
    button.setAttribute("aria-pressed", String(isPaused));
    setText(button, isPaused ? "Go on" : "Pause");
    if (isPaused) return;
    add(waiting);
    waiting = [];
    held = 0;
    setText(byId("updates-missed"), "");
  });
}

/**
 * Shows the updates that are not shown yet.
 *
 * @param {Updates} updates
 */
export function showUpdates({ total, updates }) {
  if (total < lastNumber) lastNumber = 0; // feedsync was restarted.
  const fresh = updates.filter(({ number }) => number > lastNumber);
  const before = lastNumber;
  lastNumber = total;
  if (isPaused) {
    waiting = [...waiting, ...fresh].slice(-MAX_ROWS);
    held += total - before;
    setText(byId("updates-missed"), held > 0 ? `${counted(held, "new update")}` : "");
  } else add(fresh);
}

/** @param {readonly Update[]} updates */
function add(updates) {
  const list = byId("update-list");
  list.prepend(...updates.toReversed().map(rowOf));
  while (list.children.length > MAX_ROWS) list.lastElementChild?.remove();
  byId("updates-none").hidden = list.children.length > 0;
}

/** @param {Update} update */
function rowOf({ url, server, time, removed, restored, own }) {
  const marks = [removed && "gone", restored && "restored", own && "published here"];
  return element(
    "li",
    {},
    element("time", { datetime: time }, clockTime(time)),
    element("bdi", { class: "server" }, server),
    element(
      "span",
      { class: "what" },
      element("bdi", { class: "url" }, url),
      ...marks.filter((mark) => typeof mark === "string")
        .flatMap((mark) => [" ", element("span", { class: "tag" }, mark)]),
    ),
  );
}
