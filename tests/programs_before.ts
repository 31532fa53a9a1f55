/** The programs of earlier commits, from the history of this clone. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { workspace } from "./cli/feedsync.ts";
import { ROOT } from "./library/package_imports.ts";

/** The last commit of 0.1. */
export const VERSION_0_1 = "6e35806";

/** An earlier program. */
export interface EarlierProgram {
  readonly commit: string;
  /** The directory that it is in, until the next one is asked for. */
  readonly root: string;
}

/** The last program of 0.1, and the one before this; those that are not in this clone are skipped for `test`. */
export async function* programsBefore(test: string): AsyncIterable<EarlierProgram> {
  for (const commit of [VERSION_0_1, "HEAD~1"]) {
    await using place = await workspace();
    const root = join(place.path, "program");
    if (await unpack(commit, root)) yield { commit, root };
    else console.log(`skipped: ${test}: the commit ${commit} is not in this clone`);
  }
}

/** Unpacks the program of a commit into a directory; tells whether the commit is in this clone. */
async function unpack(commit: string, directory: string): Promise<boolean> {
  const archive = new Deno.Command("git", {
    args: ["archive", "--format=tar", commit],
    cwd: ROOT,
    stdout: "piped",
    stderr: "null",
  });
  const { success, stdout } = await archive.output().catch(() => ({
    success: false,
    stdout: new Uint8Array(),
  }));
  if (!success) return false;
  await Deno.mkdir(directory);
  const tar = new Deno.Command("tar", { args: ["x"], cwd: directory, stdin: "piped" }).spawn();
  await new Blob([stdout as BlobPart]).stream().pipeTo(tar.stdin);
  assert.ok((await tar.status).success);
  return true;
}
