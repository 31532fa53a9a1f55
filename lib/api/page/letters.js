/**
 * Dead letters, with buttons to retry and to drop them.
 *
 * @module
 */
import { drop, retry } from "./actions.js";
import { byId, element, setText } from "./dom.js";
import { clockTime, counted } from "./words.js";

/**
 * @typedef {import("../events/schemas.ts").EventData["letters"]} Letters
 * @typedef {Letters["letters"][number]} Letter
 */

/**
 * The letters that are shown: those that stay keep their elements, and with them the focus.
 *
 * @type {Map<number, { row: HTMLElement, update: (letter: Letter) => void }>}
 */
const shown = new Map();

/** How many there are. */
let known = 0;

/** How long it is said what came of an action. */
const SAID_MS = 10_000;

/**
 * The timer that ends that.
 *
 * @type {ReturnType<typeof setTimeout> | undefined}
 */
let saying;

/**
 * Shows the letters.
 *
 * @param {Letters} letters
 */
export function showLetters({ count, letters }) {
  known = count;
  const section = byId("letters"), ids = new Set(letters.map(({ id }) => id));
  for (const [id, { row }] of shown) if (!ids.has(id)) remove(id, row);
  for (const letter of letters) {
    (shown.get(letter.id) ?? add(letter.id)).update(letter);
  }
  section.hidden = count === 0 && byId("letters-said").textContent === "";
  setText(byId("letters-heading"), count === 0 ? "Dead letters" : counted(count, "dead letter"));
  byId("retry-all").hidden = count < 2;
  const left = count - letters.length;
  setText(byId("letters-more"), left > 0 ? `and ${left.toLocaleString("en")} more` : "");
}

/** Has the buttons work that are not those of one letter. */
export function beginLetters() {
  const all = byId("retry-all");
  all.addEventListener("click", () =>
    act(all, async () => {
      const results = await retry();
      const failed = results.filter(({ status }) => status === "failed").length;
      const applied = results.length - failed;
      return failed === 0 ? `All ${applied} applied` : `${applied} applied, ${failed} failed again`;
    }));
}

/** @param {number} id */
function add(id) {
  const url = element("bdi", { class: "url" }), facts = element("p", { class: "hint" });
  const error = element("p", { class: "error" });
  const again = retryButton(id);
  const away = dropButton(id, () => `${url.textContent} (${facts.textContent})`);
  const row = element(
    "li",
    {},
    element("div", {}, element("p", {}, url), facts, error),
    element("div", { class: "buttons" }, again, away),
  );
  /** @param {Letter} letter */
  const update = ({ plugin, url: text, error: message, time, retryAt }) => {
    const later = retryAt === undefined ? "" : `, tried again at ${clockTime(retryAt)}`;
    setText(url, text);
    setText(facts, `${plugin}, ${clockTime(time)}${later}`);
    setText(error, message);
    again.setAttribute("aria-label", `Retry ${text} with ${plugin}`);
    away.setAttribute("aria-label", `Drop ${text} for ${plugin}`);
  };
  const made = { row, update };
  shown.set(id, made);
  byId("letter-list").append(row);
  return made;
}

/** @param {number} id */
function retryButton(id) {
  const button = element("button", { type: "button" }, "Retry");
  button.addEventListener("click", () =>
    act(button, async () => {
      const [result] = await retry([id]);
      if (!result) return "It is no longer there";
      return result.status === "applied" ? "Applied" : "Failed again";
    }));
  return button;
}

/**
 * @param {number} id
 * @param {() => string} describe
 */
function dropButton(id, describe) {
  const button = element("button", { type: "button" }, "Drop");
  button.addEventListener("click", async () => {
    if (!await isToBeDropped(describe())) return;
    await act(button, async () => {
      await drop(id);
      return "Dropped";
    });
  });
  return button;
}

/**
 * Removes a letter; the focus goes to what takes its place.
 *
 * @param {number} id
 * @param {HTMLElement} row
 */
function remove(id, row) {
  const hadFocus = row.contains(document.activeElement);
  const next = row.nextElementSibling ?? row.previousElementSibling;
  row.remove();
  shown.delete(id);
  if (hadFocus) (next?.querySelector("button") ?? byId("letters-heading")).focus();
}

/**
 * Does something, and says what came of it. Meanwhile the button cannot be pressed again.
 *
 * @param {HTMLElement} button
 * @param {() => Promise<string>} work
 */
async function act(button, work) {
  if (button.getAttribute("aria-disabled") === "true") return;
  button.setAttribute("aria-disabled", "true"); // A disabled one would lose the focus.
  say("One moment …");
  try {
    say(await work());
  } catch (error) {
    say(`That failed: ${error instanceof Error ? error.message : error}`);
  } finally {
    button.removeAttribute("aria-disabled");
  }
}

/**
 * Says something for a while, also when the last letter is gone.
 *
 * @param {string} text
 */
function say(text) {
  byId("letters-said").textContent = text;
  clearTimeout(saying);
  if (text === "One moment …") return;
  saying = setTimeout(() => {
    byId("letters-said").textContent = "";
    if (known === 0) byId("letters").hidden = true;
  }, SAID_MS);
}

/**
 * Asks whether a letter is to be dropped.
 *
 * @param {string} what
 * @returns {Promise<boolean>}
 */
function isToBeDropped(what) {
  const dialog = /** @type {HTMLDialogElement} */ (byId("drop"));
  setText(byId("drop-what"), what);
  return new Promise((resolve) => {
    byId("drop-yes").onclick = () => dialog.close("yes");
    byId("drop-no").onclick = () => dialog.close("no");
    dialog.onclose = () => resolve(dialog.returnValue === "yes");
    dialog.returnValue = "no";
    dialog.showModal();
  });
}
