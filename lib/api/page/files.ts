/**
 * The files of the page, as they are served. They are modules, so that they are part of the package and of
 * the executable.
 *
 * @module
 */
import actions from "./actions.js" with { type: "text" };
import dom from "./dom.js" with { type: "text" };
import fleet from "./fleet.js" with { type: "text" };
import headline from "./headline.js" with { type: "text" };
import letters from "./letters.js" with { type: "text" };
import lines from "./lines.js" with { type: "text" };
import main from "./main.js" with { type: "text" };
import styles from "./page.css" with { type: "text" };
import page from "./page.html" with { type: "text" };
import problem from "./problem.svg" with { type: "text" };
import stream from "./stream.js" with { type: "text" };
import unknown from "./unknown.svg" with { type: "text" };
import updates from "./updates.js" with { type: "text" };
import well from "./well.svg" with { type: "text" };
import words from "./words.js" with { type: "text" };

/** The page itself. */
export const PAGE: string = page;

/** The files that it loads, by their names. */
export const PAGE_FILES: ReadonlyMap<string, string> = new Map(Object.entries({
  "actions.js": actions,
  "dom.js": dom,
  "fleet.js": fleet,
  "headline.js": headline,
  "letters.js": letters,
  "lines.js": lines,
  "main.js": main,
  "page.css": styles,
  "problem.svg": problem,
  "stream.js": stream,
  "unknown.svg": unknown,
  "updates.js": updates,
  "well.svg": well,
  "words.js": words,
}));
