/**
 * How this server is, and was in the last half hour, as small lines.
 *
 * @module
 */
import { byId, element } from "./dom.js";
import { counted, inWords } from "./words.js";

/** @typedef {import("../events/schemas.ts").EventData["server"]} Server */

/** Number of points: half an hour, with one every 15 seconds. */
const MAX_POINTS = 120;

/** Number of points in a minute. */
const POINTS_A_MINUTE = 4;

const WIDTH = 120, HEIGHT = 24, SVG = "http://www.w3.org/2000/svg";

/** The lines, by what they show. */
const LINES = {
  behind: lineOf("behind"),
  queued: lineOf("queued"),
  published: lineOf("published"),
  received: lineOf("received"),
};

/** Puts the lines into the page. */
export function beginLines() {
  byId("lines").append(...Object.values(LINES).map(({ row }) => row));
}

/**
 * Shows how the server is.
 *
 * @param {Server} server
 */
export function showLines({ behindSeconds, queued, queuedSeconds, history }) {
  LINES.behind.show(
    behindSeconds === null ? "does not read" : behindSeconds < 1 ? "no" : inWords(behindSeconds),
    history.behindSeconds,
  );
  const waiting = `${counted(queued, "update")}, ${inWords(queuedSeconds)}`;
  LINES.queued.show(queued === 0 ? "none" : waiting, history.queued);
  LINES.published.show(rateOf(history.published), history.published);
  LINES.received.show(rateOf(history.received), history.received);
}

/**
 * How many have come in the last minute.
 *
 * @param {readonly number[]} points
 */
function rateOf(points) {
  const last = points.slice(-POINTS_A_MINUTE);
  if (last.length === 0) return "–";
  const sum = last.reduce((sum, point) => sum + point, 0);
  return `${Math.round(sum / last.length * POINTS_A_MINUTE).toLocaleString("en")} a minute`;
}

/**
 * Makes the element of a line, and what shows it.
 *
 * @param {string} name
 */
function lineOf(name) {
  const base = document.createElementNS(SVG, "line"), line = document.createElementNS(SVG, "path");
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", `0 -1 ${WIDTH} ${HEIGHT + 2}`);
  svg.setAttribute("preserveAspectRatio", "none");
  svg.setAttribute("aria-hidden", "true"); // The text beside it tells how it is now.
  base.setAttribute("x2", String(WIDTH));
  base.setAttribute("y1", String(HEIGHT));
  base.setAttribute("y2", String(HEIGHT));
  svg.append(base, line);
  const shown = element("strong", {}, "–");
  const row = element("li", {}, element("span", {}, name), shown, svg);
  /**
   * @param {string} text
   * @param {readonly number[]} points
   */
  const show = (text, points) => {
    shown.textContent = text;
    line.setAttribute("d", pathOf(points));
  };
  return { row, show };
}

/**
 * A line that ends at the right, as high as the greatest point.
 *
 * @param {readonly number[]} points
 */
function pathOf(points) {
  const most = Math.max(1, ...points), step = WIDTH / (MAX_POINTS - 1);
  return points.map((point, index) => {
    const x = WIDTH - (points.length - 1 - index) * step, y = HEIGHT * (1 - point / most);
    return `${index === 0 ? "M" : "L"}${x.toFixed(1)} ${y.toFixed(1)}`;
  }).join("");
}
