/**
 * Numbers and times in words, as the other outputs of feedsync have them.
 *
 * @module
 */

/**
 * A number and what is counted.
 *
 * @param {number} count
 * @param {string} one
 * @returns {string}
 */
export function counted(count, one) {
  return `${count.toLocaleString("en")} ${count === 1 ? one : `${one}s`}`;
}

/**
 * A duration: in the largest unit of which there are at least two.
 *
 * @param {number} seconds
 * @returns {string}
 */
export function inWords(seconds) {
  const rounded = Math.max(0, Math.round(seconds));
  if (rounded < 120) return `${rounded} s`;
  const minutes = Math.round(rounded / 60);
  if (minutes < 120) return `${minutes} min`;
  const hours = Math.round(minutes / 60);
  return hours < 48 ? `${hours} h` : `${Math.round(hours / 24).toLocaleString("en")} d`;
}

/**
 * A time on the clock of whoever looks; with its date unless it is today.
 *
 * @param {string | number | Date} time
 * @returns {string}
 */
export function clockTime(time) {
  const date = new Date(time), clock = date.toLocaleTimeString("en-GB");
  const isToday = date.toDateString() === new Date().toDateString();
  return isToday ? clock : `${date.toLocaleDateString("sv-SE")} ${clock}`;
}
