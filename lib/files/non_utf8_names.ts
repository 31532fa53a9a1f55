/**
 * Files whose names are not UTF-8, as old systems leave them behind. Deno has file names as text only, so
 * it can neither list such a file faithfully nor open it by name. `find` lists the true names, and symbolic
 * links with plain names, in a temporary directory, make the files readable.
 *
 * Here such a name is escaped: each byte that is not ASCII is U+FFFD and two hexadecimal digits. That is
 * unique, and easy to spot in logs.
 *
 * @module
 */

const ESCAPE = "\ufffd";
const ESCAPES = /\ufffd([89A-F][0-9A-F])/g;

/** Reads pairs of a target, its bytes in octal, and a link to make. */
const MAKE_LINKS =
  'while [ $# -gt 0 ]; do ln -s -- "$(printf %b "$1")" "$2" || exit; shift 2; done';

/** Links made by one command: the system bounds the length of its arguments. */
const MAX_LINKS_AT_ONCE = 50;

/** Whether a name may not be UTF-8: it is escaped, or Deno has replaced bytes in it. */
export function mayBeEscaped(name: string): boolean {
  return name.includes(ESCAPE);
}

/** Replaces each escaped byte by `prefix` and its hexadecimal digits. */
export function percentEncodeEscapes(name: string, prefix: "%" | "%25"): string {
  return name.replaceAll(ESCAPES, `${prefix}$1`);
}

/** Makes the files of one directory readable whose names are not UTF-8. */
export class NonUtf8Names {
  readonly #directory: string;
  readonly #links = new Map<string, string>();
  #linkDirectory: string | undefined;
  #linkCount = 0;

  /** For the directory at this absolute path. Nothing is made until {@linkcode NonUtf8Names.list} is called. */
  constructor(directory: string) {
    this.#directory = directory;
  }

  /** Lists the names that contain `suffix`, and links the files whose names are not UTF-8. */
  async list(suffix: string): Promise<string[]> {
    const args = [".", "-maxdepth", "1", "-name", `*${suffix}*`, "-print0"];
    const raw = splitAtZeros(await run("find", args, this.#directory)).map((path) =>
      path.subarray("./".length)
    );
    const names = raw.map(nameOf);
    const wanted = new Map<string, Uint8Array>();
    names.forEach((name, i) => {
      if (name.endsWith(suffix) && !isUtf8(raw[i])) wanted.set(name, raw[i]);
    });
    await this.#dropLinks(wanted);
    await this.#makeLinks(wanted);
    return names;
  }

  /** Path by which the file can be read, with a `.json` beside it; undefined when its name is UTF-8. */
  linkTo(name: string): string | undefined {
    return this.#links.get(name);
  }

  /** Removes the links. */
  async clear(): Promise<void> {
    this.#links.clear();
    if (this.#linkDirectory !== undefined) {
      await Deno.remove(this.#linkDirectory, { recursive: true });
    }
    this.#linkDirectory = undefined;
  }

  async #dropLinks(wanted: ReadonlyMap<string, unknown>): Promise<void> {
    for (const [name, link] of this.#links) {
      if (wanted.has(name)) continue;
      this.#links.delete(name);
      await Promise.all([Deno.remove(link), Deno.remove(`${link}.json`)]);
    }
  }

  async #makeLinks(wanted: ReadonlyMap<string, Uint8Array>): Promise<void> {
    const missing = [...wanted].filter(([name]) => !this.#links.has(name));
    if (missing.length === 0) return;
    this.#linkDirectory ??= await Deno.makeTempDir({ prefix: "feedsync-names-" });
    for (let i = 0; i < missing.length; i += MAX_LINKS_AT_ONCE) {
      const links = missing.slice(i, i + MAX_LINKS_AT_ONCE).map(([name, raw]) => {
        const target = inOctal(new TextEncoder().encode(`${this.#directory}/`)) + inOctal(raw);
        return { name, target, link: `${this.#linkDirectory}/${this.#linkCount++}` };
      });
      const args = links.flatMap(({ target, link }) => [
        ...[target, link],
        ...[target + inOctal(new TextEncoder().encode(".json")), `${link}.json`],
      ]);
      await run("sh", ["-c", MAKE_LINKS, "sh", ...args], this.#directory);
      for (const { name, link } of links) this.#links.set(name, link);
    }
  }
}

/** @throws {Error} when the program is missing, may not be run, or fails. */
async function run(program: string, args: string[], cwd: string): Promise<Uint8Array> {
  // Without the C locale `find` does not match names that are not text.
  const command = new Deno.Command(program, { args, cwd, env: { LC_ALL: "C" }, stdin: "null" });
  const { success, stdout, stderr } = await command.output();
  if (!success) {
    throw new Error(`'${program}' failed: ${new TextDecoder().decode(stderr).trim()}`);
  }
  return stdout;
}

function splitAtZeros(bytes: Uint8Array): Uint8Array[] {
  const parts: Uint8Array[] = [];
  let start = 0;
  for (let end; (end = bytes.indexOf(0, start)) !== -1; start = end + 1) {
    parts.push(bytes.subarray(start, end));
  }
  return parts;
}

function isUtf8(bytes: Uint8Array): boolean {
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    return true;
  } catch {
    return false;
  }
}

function nameOf(raw: Uint8Array): string {
  if (isUtf8(raw)) return new TextDecoder("utf-8", { ignoreBOM: true }).decode(raw);
  return Array.from(
    raw,
    (byte) => byte < 0x80 ? String.fromCharCode(byte) : ESCAPE + byte.toString(16).toUpperCase(),
  ).join("");
}

function inOctal(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => `\\0${byte.toString(8).padStart(3, "0")}`).join("");
}
