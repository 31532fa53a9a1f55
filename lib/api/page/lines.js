/**
 * How this server is, as small lines: each as long as the page was looked at.
 *
 * @module
 */
import { byId, element } from "./dom.js";
import { counted, inWords } from "./words.js";

/** @typedef {import("../events/schemas.ts").EventData["server"]} Server */

/** Number of points: 15 minutes, with one every 15 seconds. */
const MAX_POINTS = 60;

const WIDTH = 120, HEIGHT = 24, SVG = "http://www.w3.org/2000/svg";

/**
 * Makes the element of a line, and what shows the next point and its text.
 *
 * @param {string} name
 */
function lineOf(name) {
  const path = document.createElementNS(SVG, "polyline");
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", `0 -1 ${WIDTH} ${HEIGHT + 2}`);
  svg.setAttribute("aria-hidden", "true");
  svg.append(path);
  const shown = element("strong", {}, "–");
  const row = element("li", {}, element("span", {}, name), shown, svg);
  /** @type {number[]} */
  let points = [];
  /**
   * @param {number} point
   * @param {string} text
   */
  const show = (point, text) => {
    points = [...points, point].slice(-MAX_POINTS);
    shown.textContent = text;
    const most = Math.max(...points) || 1;
    path.setAttribute(
      "points",
      points.map((value, index) =>
        `${WIDTH - (points.length - 1 - index) * WIDTH / (MAX_POINTS - 1)},${
          HEIGHT - value / most * HEIGHT
        }`
      ).join(" "),
    );
  };
  return { row, show };
}

const behind = lineOf("behind"), queued = lineOf("queued");
const published = lineOf("published"), received = lineOf("received");

/** @type {Server | undefined} */
let last;

/** Puts the lines into the page. */
export function beginLines() {
  byId("lines").append(...[behind, queued, published, received].map(({ row }) => row));
}

/**
 * Shows how the server is now.
 *
 * @param {Server} server
 */
export function showLines(server) {
  const { behindSeconds, queued: count, queuedSeconds, time } = server, before = last;
  last = server;
  if (behindSeconds === null) behind.show(0, "does not read");
  else behind.show(behindSeconds, behindSeconds === 0 ? "no" : inWords(behindSeconds));
  queued.show(
    count,
    count === 0 ? "none" : `${counted(count, "update")}, ${inWords(queuedSeconds)}`,
  );
  const minutes = (Date.parse(time) - Date.parse(before?.time ?? time)) / 60_000;
  // Less than before: feedsync was restarted. A moment later: the page has connected again.
  if (!before || minutes < 0.1 || server.received < before.received) return;
  for (
    const [line, now, then] of /** @type {const} */ ([
      [published, server.published, before.published],
      [received, server.received, before.received],
    ])
  ) {
    const rate = Math.max(0, now - then) / minutes;
    line.show(
      rate,
      `${rate < 10 && rate > 0 ? rate.toFixed(1) : Math.round(rate).toLocaleString("en")} a minute`,
    );
  }
}
