/**
 * Looks at the directory of feed files.
 *
 * @module
 */
import { messageOf } from "../errors.ts";
import { identifyFeed } from "../files/feed_json.ts";
import { FeedDirectory } from "../files/feed_directory.ts";
import { watchProblem } from "../files/watching/directory_watch.ts";
import { counted } from "../fleet/status/words.ts";
import { type Finding, ok, warning } from "./finding.ts";
import type { Subject } from "./subject.ts";

/** Number of files that are named. */
const MAX_NAMED = 5;

/** Checks the directory, and the names of the files in it. Publishes nothing. */
export async function* checkFiles({ config: { files }, signal }: Subject): AsyncIterable<Finding> {
  if (!files) return;
  await using directory = new FeedDirectory(files.directory);
  const { path } = directory;
  if (await directory.identity() === undefined) {
    const what = `There is no feed directory ${path}`;
    return yield warning(what, "`watch` waits until it is there. Check 'files.directory'");
  }
  yield watching(path);
  try {
    const { feeds, problem } = await directory.list();
    if (problem) yield warning(problem.message, "Rename them, or install `find`");
    const unnamed: string[] = [];
    for (const name of feeds) {
      signal.throwIfAborted();
      await identifyFeed(name, directory.readablePathOf(name)).catch((error) => {
        unnamed.push(`'${name}': ${messageOf(error)}`);
      });
    }
    yield ok(`${counted(feeds.size - unnamed.length, "feed file")} in ${path} can be published`);
    if (unnamed.length > 0) yield notPublished(unnamed);
  } catch (error) {
    signal.throwIfAborted();
    const what = `The feed directory ${path} cannot be read: ${messageOf(error)}`;
    yield warning(what, "Let this user read it");
  }
}

/** Watches the directory for a moment: systems limit how many may be watched. */
function watching(path: string): Finding {
  try {
    Deno.watchFs(path, { recursive: false }).close();
    return ok(`${path} can be watched`);
  } catch (error) {
    const advice = "Raise the limits of the system: on Linux, fs.inotify.max_user_instances and " +
      "fs.inotify.max_user_watches";
    return warning(watchProblem(path, error), advice);
  }
}

function notPublished(unnamed: readonly string[]): Finding {
  const more = unnamed.length > MAX_NAMED ? `; and ${unnamed.length - MAX_NAMED} more` : "";
  const what = `${counted(unnamed.length, "feed file")} cannot be published: ` +
    unnamed.slice(0, MAX_NAMED).join("; ") + more;
  return warning(what, "See “Names” in docs/feed-files.md");
}
