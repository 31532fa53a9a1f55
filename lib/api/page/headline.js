/**
 * The one sentence, and what to do.
 *
 * @module
 */
import { byId, element, setText } from "./dom.js";
import { clockTime, counted } from "./words.js";

/**
 * @typedef {import("../events/schemas.ts").EventData} EventData
 * @typedef {"well" | "problem" | "unknown"} Level
 * @typedef {{ level: Level, sentence: string, advice: string }} Headline
 */

/**
 * What is known.
 *
 * @typedef {object} Known
 * @property {import("./stream.js").ConnectionState} connection
 * @property {string} reason Why it is lost, if feedsync says so.
 * @property {number} heardAt When something was heard last.
 * @property {EventData["server"]} [server]
 * @property {EventData["fleet"]} [fleet]
 */

/**
 * Shows the sentence, in the title and the icon, too: the page may be one tab of many.
 *
 * @param {Known} known
 */
export function showHeadline(known) {
  const { level, sentence, advice } = headlineOf(known);
  byId("headline").dataset.level = level;
  setText(byId("sentence"), sentence);
  setText(byId("advice"), advice);
  showProblems(known);
  const name = known.server?.server ?? "feedsync";
  const isKnown = level !== "unknown" && known.connection !== "hidden";
  document.title = isKnown ? `${level === "well" ? "✓" : "✗"} ${name}: ${sentence}` : name;
  const icon = `page/${isKnown ? level : "unknown"}.svg`;
  const link = byId("icon");
  if (link.getAttribute("href") !== icon) link.setAttribute("href", icon);
}

/**
 * @param {Known} known
 * @returns {Headline}
 */
function headlineOf({ connection, reason, heardAt, server, fleet }) {
  if (connection === "refused") {
    const advice =
      "Reload this page, and give the token as password. The user name does not matter.";
    return { level: "problem", sentence: "The token is missing or wrong", advice };
  }
  if (connection === "lost") {
    const since = heardAt > 0 ? `What is shown is as of ${clockTime(heardAt)}. ` : "";
    const advice = reason === ""
      ? `${since}Is feedsync watch running there? This page tries again by itself.`
      : `${since}${reason}. This page tries again by itself.`;
    const name = server?.server ?? "This server";
    return { level: "problem", sentence: `${name} does not answer`, advice };
  }
  if (!fleet) return { level: "unknown", sentence: "Asking how the servers are …", advice: "" };
  if (fleet.error) return withoutFleet(fleet.error, server);
  const isUrgent = fleet.problems?.some(({ severity }) => severity === "problem");
  return { level: isUrgent ? "problem" : "well", sentence: fleet.summary ?? "", advice: "" };
}

/**
 * @param {{ name: string, message: string }} error
 * @param {EventData["server"] | undefined} server
 * @returns {Headline}
 */
function withoutFleet({ name, message }, server) {
  const sentence = name === "AccessDeniedError"
    ? "1 problem: the store denies access"
    : "1 problem: the store does not answer";
  const queued = server && server.queued > 0
    ? ` ${counted(server.queued, "update")} ${server.queued === 1 ? "waits" : "wait"} here, safely.`
    : " What is published meanwhile waits here, safely.";
  return { level: "problem", sentence, advice: `${message}.${queued}` };
}

/** @param {Known} known */
function showProblems({ server, fleet }) {
  const problems = fleet?.problems ?? [];
  byId("problems").hidden = problems.length === 0;
  const isUrgent = problems.some(({ severity }) => severity === "problem");
  setText(byId("problems-heading"), isUrgent ? "What to do" : "Worth knowing");
  byId("problem-list").replaceChildren(...problems.map((problem) => {
    const { kind, severity, servers, message } = problem;
    const isHere = kind === "dead-letters" && servers.every((name) => name === server?.server);
    const advice = isHere ? "Retry or drop below" : problem.advice;
    return element(
      "li",
      { "data-level": severity },
      element("p", {}, mark(severity), element("bdi", {}, message)),
      element("p", { class: "advice" }, advice),
    );
  }));
}

/**
 * Tells levels apart without colours.
 *
 * @param {"problem" | "note"} severity
 */
function mark(severity) {
  const label = severity === "problem" ? "Problem: " : "Note: ";
  return element(
    "span",
    { class: "mark" },
    element("span", { "aria-hidden": "true" }, severity === "problem" ? "✗" : "!"),
    element("span", { class: "unseen" }, label),
  );
}
