/**
 * The table of servers.
 *
 * @module
 */
import { byId, element, setText } from "./dom.js";
import { clockTime, counted } from "./words.js";

/** @typedef {import("../events/schemas.ts").EventData["fleet"]} Fleet */

/** Maximum number of rows: those that need a person come first. */
const MAX_ROWS = 200;

/** The order of rows. */
const URGENCY = ["problem", "gone", "note", "well"];

/** What levels are called, for those who see no colours. */
const NAMES = { problem: "needs a person", gone: "gone", note: "worth a look", well: "well" };

/**
 * Shows the servers. Without any, what was shown before remains.
 *
 * @param {Fleet} fleet
 */
export function showFleet({ time, servers }) {
  if (!servers) return;
  setText(byId("fleet-time"), `as of ${clockTime(time)}`);
  const sorted = servers.toSorted((a, b) => URGENCY.indexOf(a.level) - URGENCY.indexOf(b.level));
  const columns = Object.keys(servers[0]?.cells ?? {});
  byId("fleet-columns").replaceChildren(
    ...columns.map((name) => element("th", { scope: "col", "data-column": name }, name)),
  );
  byId("fleet-rows").replaceChildren(
    ...sorted.slice(0, MAX_ROWS).map((server) => rowOf(server, columns)),
  );
  const left = sorted.length - MAX_ROWS;
  setText(byId("fleet-more"), left > 0 ? `and ${counted(left, "server")} more` : "");
}

/**
 * @param {NonNullable<Fleet["servers"]>[number]} server
 * @param {readonly string[]} columns
 */
function rowOf({ level, cells, urgent }, columns) {
  return element(
    "tr",
    { "data-level": level },
    ...columns.map((name) => {
      const text = element("bdi", {}, cells[name]);
      if (name === "server") {
        const dot = element("span", { class: "dot", role: "img", "aria-label": NAMES[level] });
        return element("th", { scope: "row", "data-column": name }, dot, text);
      }
      const isUrgent = urgent.some((column) => column === name);
      return element("td", { "data-column": name, ...isUrgent && { class: "urgent" } }, text);
    }),
  );
}
