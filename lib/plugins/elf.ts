/**
 * The dynamic loader that an executable of Linux names.
 *
 * Source: https://refspecs.linuxfoundation.org/elf/gabi4+/contents.html
 *
 * @module
 */

/** How such a file begins, as latin1. */
export const ELF = "\x7fELF";

/** `e_machine` of what runs here without an emulator, which may bring a loader of its own. */
const MACHINES: Readonly<Record<string, readonly number[]>> = { x86_64: [62, 3], aarch64: [183] };

/** Type of the program header that names the loader. */
const PT_INTERP = 3;

const MAX_HEADERS_BYTES = 64 * 1024, MAX_PATH_BYTES = 4_096;

/** Path of the loader; undefined when the executable needs none, or is for another kind of machine. */
export async function loaderOf(file: string): Promise<string | undefined> {
  using opened = await Deno.open(file);
  const header = await readAt(opened, 0, 64);
  const is64 = header.getUint8(4) === 2, isLittle = header.getUint8(5) === 1;
  const number = (view: DataView, at: number) =>
    is64 ? Number(view.getBigUint64(at, isLittle)) : view.getUint32(at, isLittle);
  if (!MACHINES[Deno.build.arch]?.includes(header.getUint16(18, isLittle))) return undefined;
  const size = header.getUint16(is64 ? 54 : 42, isLittle);
  const count = header.getUint16(is64 ? 56 : 44, isLittle);
  const length = Math.min(size * count, MAX_HEADERS_BYTES);
  const table = await readAt(opened, number(header, is64 ? 32 : 28), length);
  for (let at = 0; at + size <= length; at += size) {
    if (table.getUint32(at, isLittle) !== PT_INTERP) continue;
    const offset = number(table, at + (is64 ? 8 : 4));
    const bytes = Math.min(number(table, at + (is64 ? 32 : 16)), MAX_PATH_BYTES);
    const path = await readAt(opened, offset, bytes);
    return new TextDecoder().decode(path).split("\0", 1)[0];
  }
  return undefined;
}

/** @throws {Error} when the file is shorter. */
async function readAt(
  file: Deno.FsFile,
  offset: number,
  length: number,
): Promise<DataView<ArrayBuffer>> {
  const bytes = new Uint8Array(length);
  await file.seek(offset, Deno.SeekMode.Start);
  for (let read = 0; read < length;) {
    const more = await file.read(bytes.subarray(read));
    if (more === null) throw new Error("The file is cut off");
    read += more;
  }
  return new DataView(bytes.buffer);
}
