/**
 * File names of any bytes. In the paths here each byte that is not UTF-8 is a lone surrogate, U+DC80
 * to U+DCFF; a shell renames and removes such files, since Deno takes no other names than text.
 */

/** Whether the path is not UTF-8. */
export function isRaw(path: string): boolean {
  return !path.isWellFormed();
}

/** Renames a file or a link; replaces what is there. */
export async function rename(from: string, to: string): Promise<void> {
  if (isRaw(from) || isRaw(to)) await shell(`mv -f -- ${quoted(from)} ${quoted(to)}`);
  else await Deno.rename(from, to);
}

/** Removes a file or a link. */
export async function remove(path: string): Promise<void> {
  if (isRaw(path)) await shell(`rm -- ${quoted(path)}`);
  else await Deno.remove(path);
}

/** Makes links through which files can be written whose names are not UTF-8. */
export async function linkRaw(files: readonly { path: string; handle: string }[]): Promise<void> {
  const lines = files.map(({ path, handle }) => `ln -s -- ${quoted(path)} ${quoted(handle)}`);
  if (lines.length > 0) await shell(lines.join("\n"));
}

async function shell(script: string): Promise<void> {
  const sh = new Deno.Command("sh", { args: ["-e"], stdin: "piped", stderr: "piped" }).spawn();
  const writer = sh.stdin.getWriter();
  await writer.write(new TextEncoder().encode(script));
  await writer.close();
  const { success, stderr } = await sh.output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
}

function quoted(path: string): string {
  const bytes = [...path].flatMap((character) => {
    const code = character.codePointAt(0)!;
    return code >= 0xdc80 && code <= 0xdcff
      ? [code - 0xdc00]
      : [...new TextEncoder().encode(character)];
  });
  return `"$(printf %b '${bytes.map((byte) => `\\0${byte.toString(8)}`).join("")}')"`;
}
