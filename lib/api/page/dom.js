/**
 * Elements. What is shown is text, and never markup: much of it comes from other servers.
 *
 * @module
 */

/**
 * The element of the page with this id.
 *
 * @template {HTMLElement} [Type=HTMLElement]
 * @param {string} id
 * @returns {Type}
 */
export function byId(id) {
  return /** @type {Type} */ (document.getElementById(id));
}

/**
 * Makes an element.
 *
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Readonly<Record<string, string>>} attributes Never what others have written, but for labels.
 * @param {readonly (Node | string)[]} children Strings become text.
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

/**
 * Shows a text, or hides the element if there is none. The same again is no change, so that nothing
 * is read out twice.
 *
 * @param {HTMLElement} shown
 * @param {string} text
 */
export function setText(shown, text) {
  shown.hidden = text === "";
  if (shown.textContent !== text) shown.textContent = text;
}
