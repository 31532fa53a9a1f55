/**
 * Finds content that ends in the middle: its writer may not be done.
 *
 * @module
 */

/** Why content seems to end in the middle; undefined when it is whole, or neither XML nor JSON. */
export function findTruncation(bytes: Uint8Array): string | undefined {
  const text = decode(bytes).trim();
  if (text.startsWith("<")) return findTruncatedXml(text);
  // What only begins with a bracket need not be JSON.
  if (/^(\{\s*("|\}|$)|\[\s*([[{"\]\d-]|true|false|null|$))/.test(text)) {
    return isJson(text) ? undefined : "it is JSON that does not parse";
  }
  return undefined;
}

/** Only markup must be right: it is ASCII in all encodings that matter, or has 16 bits a character. */
function decode(bytes: Uint8Array): string {
  const [first, second] = bytes;
  if (first === 0xef && second === 0xbb) return new TextDecoder("utf-8").decode(bytes);
  if ((first === 0xff && second === 0xfe) || (first === 0x3c && second === 0)) {
    return new TextDecoder("utf-16le").decode(bytes);
  }
  if ((first === 0xfe && second === 0xff) || (first === 0 && second === 0x3c)) {
    return new TextDecoder("utf-16be").decode(bytes);
  }
  if (first === 0x3c) return new TextDecoder("latin1").decode(bytes);
  return new TextDecoder("utf-8").decode(bytes);
}

/** Also if each line is JSON. */
function isJson(text: string): boolean {
  return parses(text) || text.split("\n").every((line) => line.trim() === "" || parses(line));
}

function parses(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** Begin and end of what may stand outside the root element: instructions and comments. */
const OUTSIDE = ["<?", "?>", "<!--", "-->"] as const;

function findTruncatedXml(text: string): string | undefined {
  const begin = skipProlog(text);
  if (begin === undefined) return "it ends before its root element";
  const rest = text.slice(begin, begin + 1000);
  if (["<!--", "<!doctype"].some((start) => start.startsWith(rest.toLowerCase()))) {
    return "it ends before its root element";
  }
  const root = /^<([\p{L}_:][^\s<>/!?"'=]*)/u.exec(rest);
  // It is not XML, though it begins like that; and HTML needs no end tag.
  if (!root) return undefined;
  const name = root[1];
  if (name.toLowerCase() === "html") return undefined;
  const end = withoutEpilog(text);
  const isWhole = end.endsWith(">") &&
    (endsWithTag(end, name) || (end.endsWith("/>") && isOneTag(end, begin)));
  return isWhole ? undefined : `it is XML without the end of its root element, </${name}>`;
}

/** Where the root element begins; undefined when that is not there yet. */
function skipProlog(text: string): number | undefined {
  let at = 0;
  while (at < text.length) {
    const end = endOfMisc(text, at) ??
      (/^<!doctype/i.test(text.slice(at, at + 9)) ? endOfDoctype(text, at) : at);
    if (end === at) return at;
    if (end < 0) return undefined;
    at = end;
    while (/\s/.test(text.charAt(at))) at++;
  }
  return undefined;
}

/** Where the instruction or comment at `at` ends; negative: nowhere; undefined: there is none. */
function endOfMisc(text: string, at: number): number | undefined {
  for (let i = 0; i < OUTSIDE.length; i += 2) {
    if (!text.startsWith(OUTSIDE[i], at)) continue;
    const end = text.indexOf(OUTSIDE[i + 1], at + OUTSIDE[i].length);
    return end < 0 ? -1 : end + OUTSIDE[i + 1].length;
  }
  return undefined;
}

/** Like {@linkcode endOfMisc}; a document type may have declarations in brackets. */
function endOfDoctype(text: string, at: number): number {
  const end = text.indexOf(">", at), bracket = text.indexOf("[", at);
  if (bracket < 0 || end < bracket) return end < 0 ? -1 : end + 1;
  const closing = /\]\s*>/g;
  closing.lastIndex = bracket;
  return closing.test(text) ? closing.lastIndex : -1;
}

/** The text up to the end of the root element, if it is there. */
function withoutEpilog(text: string): string {
  for (let end = text.replace(/[\s\0]+$/, "");;) {
    const begin = end.endsWith("-->")
      ? end.lastIndexOf("<!--")
      : end.endsWith("?>")
      ? end.lastIndexOf("<?")
      : -1;
    if (begin < 0) return end;
    end = end.slice(0, begin).trimEnd();
  }
}

function endsWithTag(text: string, name: string): boolean {
  const tag = text.slice(text.lastIndexOf("<"));
  return tag.startsWith(`</${name}`) && tag.slice(name.length + 2, -1).trim() === "";
}

/** Whether the root element has no content, as in `<rss/>`. */
function isOneTag(text: string, begin: number): boolean {
  return text.lastIndexOf("<") === begin;
}
