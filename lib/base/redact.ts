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
