/**
 * Passwords in URLs of feeds, and in the names of their files, are not logged.
 *
 * @module
 */
import type { PluginLogger } from "../plugin.ts";

/** `://user:password@`; the same percent-encoded, as in names of files; and as the Python module names them. */
const FORMS: readonly (readonly [RegExp, string])[] = [
  [/(:\/\/[^\s/?#:@']*):[^\s/?#']*@/g, "$1:…@"],
  [/(%3A%2F%2F(?:(?!%2F|%3A|%40)[^\s/'])*)%3A(?:(?!%2F)[^\s/'])*%40/gi, "$1%3A…%40"],
  [/(___[^\s/_:@']+)[_:][^\s/']*@/g, "$1_…@"],
];

/** The text without the passwords in it. */
export function hidePasswords(text: string): string {
  return FORMS.reduce((shown, [form, replacement]) => shown.replace(form, replacement), text);
}

/** The logger, for messages that name URLs and files. */
export function hidingPasswords(logger: PluginLogger): PluginLogger {
  return {
    debug: (message) => logger.debug(hidePasswords(message)),
    info: (message) => logger.info(hidePasswords(message)),
    warn: (message) => logger.warn(hidePasswords(message)),
    error: (message) => logger.error(hidePasswords(message)),
  };
}
