/**
 * Keeping secrets out of texts for people: URLs bear passwords, and tokens in their paths.
 *
 * @module
 */

/** A URL of any scheme that has an authority, up to white space or a quotation mark. */
const URLS = /\b[a-z][a-z0-9+.-]*:\/\/[^\s"'<>`]+/gi;

/** What may follow a URL that is part of a sentence. */
const AFTER_URL = /^[).,:;\]]*(?:[\s"'<>`]|$)/;

/**
 * The text with nothing of the URLs in it but scheme and host. Those that are equal to a key of `shown`
 * become its value. Paths of local files stay: they are no secrets, and stack traces consist of them.
 */
export function cutDownUrls(text: string, shown: Readonly<Record<string, string>> = {}): string {
  const [entry, ...others] = Object.entries(shown);
  if (!entry) return text.replace(URLS, cutDown);
  const [url, replacement] = entry;
  return splitAtUrl(text, url)
    .map((part) => cutDownUrls(part, Object.fromEntries(others)))
    .join(replacement);
}

/** The parts of the text around the URL, where it is not merely the beginning of a longer one. */
function splitAtUrl(text: string, url: string): string[] {
  const [first, ...others] = text.split(url);
  const parts = [first];
  for (const part of others) {
    if (AFTER_URL.test(part)) parts.push(part);
    else parts.push(`${parts.pop()}${url}${part}`);
  }
  return parts;
}

function cutDown(text: string): string {
  const [end] = /[).,:;\]]*$/.exec(text)!; // Of the sentence that it is in.
  const url = URL.parse(text.slice(0, text.length - end.length));
  if (url === null) return "a URL";
  return url.protocol === "file:" ? text : `${url.protocol}//${url.host}${end}`;
}

/** `://user:password@`; the same percent-encoded, as in file names; and as the Python module names files. */
const PASSWORDS: readonly (readonly [form: RegExp, replacement: string])[] = [
  [/(:\/\/[^\s/?#:@']*):[^\s/?#']*@/g, "$1:…@"],
  [/(%3A%2F%2F(?:(?!%2F|%3A|%40)[^\s/'])*)%3A(?:(?!%2F)[^\s/'])*%40/gi, "$1%3A…%40"],
  [/(___[^\s/_:@']+)[_:][^\s/']*@/g, "$1_…@"],
];

/** The text without the passwords of URLs, also where a file is named after its URL. */
export function hidePasswords(text: string): string {
  return PASSWORDS.reduce((shown, [form, replacement]) => shown.replace(form, replacement), text);
}

/** Logs finished messages. Not imported: starting the program loads this file, and no package for it. */
type TextLogger = Readonly<Record<"debug" | "info" | "warn" | "error", (text: string) => void>>;

/** The logger, for messages that name URLs and files: it hides their passwords. */
export function hidePasswordsIn(logger: TextLogger): TextLogger {
  return {
    debug: (text) => logger.debug(hidePasswords(text)),
    info: (text) => logger.info(hidePasswords(text)),
    warn: (text) => logger.warn(hidePasswords(text)),
    error: (text) => logger.error(hidePasswords(text)),
  };
}
