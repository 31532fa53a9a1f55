/**
 * Which keys stores take.
 *
 * @module
 */

/** No `.` and `..`, nothing that a listing of a directory would hide, nothing that splits paths. */
const PART = /^[^./\\\p{Cc}\p{Cs}][^/\\\p{Cc}\p{Cs}]*$/u;

/**
 * Makes sure that a key names one object inside of the store, on a file system as in a URL.
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
 * Makes sure that a prefix stays inside of the store.
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
