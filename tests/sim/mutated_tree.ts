import { cp } from "node:fs/promises";
import { ROOT } from "./campaign.ts";
import type { Mutant } from "./mutants.ts";

/** What the simulator is made of: it shares parts with the other tests. */
const PARTS = ["deno.json", "deno.lock", "lib", "tests"];

/** A copy of the code in which one rule is broken; gone when it is disposed. */
export class MutatedTree implements AsyncDisposable {
  readonly root: string;

  private constructor(root: string) {
    this.root = root;
  }

  /** Copies the code and changes it. */
  static async make(mutant: Mutant): Promise<MutatedTree> {
    const tree = new MutatedTree(await Deno.makeTempDir({ prefix: "feedsync-mutant-" }));
    for (const part of PARTS) {
      await cp(`${ROOT}/${part}`, `${tree.root}/${part}`, { recursive: true });
    }
    for (const { file, search, replace } of mutant.edits) {
      const path = `${tree.root}/lib/${file}`;
      const parts = (await Deno.readTextFile(path)).split(search);
      if (parts.length !== 2) {
        throw new Error(
          `Cannot break the rule '${mutant.name}': lib/${file} has ${parts.length - 1} times ` +
            `${JSON.stringify(search)}, not once; mend tests/sim/mutants.ts`,
        );
      }
      await Deno.writeTextFile(path, parts.join(replace));
    }
    return tree;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.root, { recursive: true });
  }
}
