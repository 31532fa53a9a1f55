/**
 * The languages of the examples, and how their programs are run.
 *
 * @module
 */
import { join } from "node:path";
import { ROOT } from "../../library/package_imports.ts";

/** What there is an example of. */
export type Task = "publish" | "consume" | "turns";

/** A language that has examples. */
export interface Language {
  readonly name: string;
  readonly extension: string;
  /** Programs that must be there. */
  readonly needs: readonly string[];
  /** How to run the program at a path. */
  readonly command: (path: string) => readonly string[];
  /** How to compile the program at a path, if it must be. */
  readonly compile?: (path: string, output: string) => readonly string[];
}

export const LANGUAGES: readonly Language[] = [
  { name: "python", extension: "py", needs: ["python3"], command: (path) => ["python3", path] },
  { name: "php", extension: "php", needs: ["php"], command: (path) => ["php", path] },
  {
    name: "go",
    extension: "go",
    needs: ["go"],
    command: (path) => [path],
    compile: (path, output) => ["go", "build", "-o", output, path],
  },
  { name: "shell", extension: "sh", needs: ["curl", "jq"], command: (path) => ["bash", path] },
];

/** The programs of a language, ready to run. */
export class Examples {
  readonly #language: Language;
  readonly #directory: string;

  constructor(language: Language, directory: string) {
    this.#language = language;
    this.#directory = directory;
  }

  /** Compiles what must be compiled. */
  async prepare(): Promise<void> {
    const { compile } = this.#language;
    if (!compile) return;
    for (const task of ["publish", "consume", "turns"] as const) {
      const [program, ...args] = compile(this.#source(task), this.#compiled(task));
      const { success, stderr } = await new Deno.Command(program, { args }).output();
      if (!success) throw new Error(new TextDecoder().decode(stderr));
    }
  }

  /** The command that does a task. */
  command(task: Task): readonly string[] {
    const { command, compile } = this.#language;
    return command(compile ? this.#compiled(task) : this.#source(task));
  }

  #source(task: Task): string {
    const { name, extension } = this.#language;
    return join(ROOT, "examples", name, `${task}.${extension}`);
  }

  #compiled(task: Task): string {
    return join(this.#directory, task);
  }
}

/** The first program that a language needs and this machine does not have. */
export function missingProgram({ needs }: Language): string | undefined {
  return needs.find((program) =>
    !new Deno.Command("sh", { args: ["-c", `command -v ${program}`], stdout: "null" })
      .outputSync().success
  );
}
