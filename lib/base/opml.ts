/**
 * Subscription lists in OPML, as feed readers export them.
 *
 * @module
 */
import { SaxesParser } from "saxes";

/**
 * An ampersand that begins nothing that XML knows. Many programs write URLs and titles without
 * escaping them. Entities that a document declares itself are not expanded either.
 */
const BARE_AMPERSAND = /&(?!(?:amp|lt|gt|quot|apos|#\d+|#x[\da-fA-F]+);)/g;

/**
 * The `xmlUrl` of each outline, at any depth, in the order of the document. Names are read in any
 * case.
 *
 * @throws {SyntaxError} with line and column, when the text is not XML, or has another root element
 * than `<opml>`.
 */
export function parseOpml(text: string): string[] {
  const parser = new SaxesParser();
  const urls: string[] = [];
  let root: string | undefined;
  parser.on("error", (error) => {
    throw new SyntaxError(`it is not valid XML: ${error.message}`);
  });
  parser.on("opentag", ({ name, attributes }) => {
    root ??= name;
    if (root.toLowerCase() !== "opml") {
      throw new SyntaxError(`it is XML, but no OPML list: its root element is <${root}>`);
    }
    if (name.toLowerCase() === "outline") urls.push(...feedsOf(attributes));
  });
  // Half a character at the end makes the parser throw errors of its own.
  const document = text.toWellFormed().trimStart();
  parser.write(document.replace(BARE_AMPERSAND, "&amp;")).close();
  return urls;
}

function feedsOf(attributes: Readonly<Record<string, string>>): string[] {
  return Object.entries(attributes)
    .filter(([name]) => name.toLowerCase() === "xmlurl")
    .map(([, url]) => url.trim())
    .filter((url) => url !== "");
}
