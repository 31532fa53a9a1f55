/**
 * `feedsync version`: shows what this program is, and which formats it knows.
 *
 * @module
 */
import { nameWithVersion, readVersion } from "../../base/version.ts";
import { FORMATS } from "../../log/codec.ts";
import { NEWEST_FORMAT, READER } from "../../state/migrations.ts";
import { MESSAGE_READER } from "../../wake/message.ts";
import type { CommandContext } from "../command.ts";
import { print, printJson } from "../output.ts";

const LABEL_WIDTH = 10;

/** Prints the version; it asks for no store and reads no configuration. */
export async function run({ args }: CommandContext): Promise<void> {
  const bucket = FORMATS, state = { reader: READER, written: NEWEST_FORMAT };
  const messages = { reader: MESSAGE_READER };
  const deno = Deno.version.deno, platform = Deno.build.target;
  if (args.has("json")) {
    const formats = { bucket, state, messages };
    return await printJson({ version: await readVersion(), formats, deno, platform });
  }
  await print(await nameWithVersion());
  const rows = {
    bucket: `reader ${bucket.reader}, writes format ${bucket.written}`,
    state: `reader ${state.reader}, writes format ${state.written}`,
    messages: `reader ${messages.reader}`,
    deno,
    platform,
  };
  for (const [label, text] of Object.entries(rows)) await print(label.padEnd(LABEL_WIDTH) + text);
}
