/**
 * Runs Deno as somebody would in a directory of theirs.
 *
 * @module
 */
import assert from "node:assert/strict";

/** Runs `deno` with these arguments, which must succeed; resolves to its standard output. */
export async function runDeno(args: string[], cwd: string): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args,
    cwd,
    env: { NO_COLOR: "1" },
  }).output();
  const text = new TextDecoder();
  assert.ok(success, text.decode(stdout) + text.decode(stderr));
  return text.decode(stdout);
}
