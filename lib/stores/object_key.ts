/**
 * Checks the keys of objects.
 *
 * @module
 */

/** A part of a key: not `.`, `..` or a hidden file, and without characters that split paths. */
const PART = /^[^./\\\p{Cc}\p{Cs}][^/\\\p{Cc}\p{Cs}]*$/u;

/**
 * Checks that a key names one object inside the store, on a file system as in a URL.
 *
 * @throws {TypeError} when it does not.
 */
export function checkKey(key: string): void {
  if (key.split("/").every((part) => PART.test(part))) return;
  throw new TypeError(
    "Cannot use an object key with an empty part, a part that begins with a dot, a backslash or " +
      `a control character: current value is ${JSON.stringify(key)}`,
  );
}

/**
 * Checks that a prefix stays inside the store.
 *
 * @throws {TypeError} when it does not.
 */
export function checkPrefix(prefix: string): void {
  const directory = directoryOf(prefix);
  if (directory !== "") checkKey(directory.slice(0, -1));
}

/** The part of a prefix that names a directory: empty, or with a slash at the end. */
export function directoryOf(prefix: string): string {
  return prefix.slice(0, prefix.lastIndexOf("/") + 1);
}
