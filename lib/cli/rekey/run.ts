/**
 * `feedsync rekey`: writes what is kept for good anew, with the keys of now.
 *
 * @module
 */
import { connect } from "../../connect.ts";
import { ConfigError } from "../../errors.ts";
import type { RekeyProgress } from "../../log/newest/rekey.ts";
import { rekey } from "../../rekey.ts";
import type { CommandContext } from "../command.ts";
import { print, printJson } from "../output.ts";
import { explainStore, loadSettings } from "../settings.ts";

/** How often a terminal is told how far it is, in milliseconds. */
const TELL_MS = 200;

/** Rekeys the store of the configuration; ends with an error when anything is left. */
export async function run({ args, signal }: CommandContext): Promise<void> {
  const dryRun = args.has("dry-run");
  const settings = await loadSettings(args);
  if (!settings.config.encryption?.keys) {
    throw new ConfigError(
      "Cannot rekey as no keys are configured: set 'encryption.keys', or FEEDSYNC_ENCRYPTION_KEYS",
    );
  }
  await using sync = await connect({ ...settings.config, state: ":memory:" }, settings);
  explainStore(sync, settings);
  const onProgress = Deno.stderr.isTerminal() ? progressLine() : undefined;
  const { error, ...counts } = await rekey(sync, { dryRun, onProgress, signal });
  const { rekeyed, examined, failed } = counts;
  const left = failed > 0 ? `, ${failed} could not be` : "";
  const text = `${dryRun ? "would rekey" : "rekeyed"} ${rekeyed} of ${examined} objects${left}`;
  await (args.has("json") ? printJson(counts) : print(text));
  if (error) throw error;
}

/** Shows how far it is, in one line that is overwritten. */
function progressLine(): (progress: RekeyProgress) => void {
  const encoder = new TextEncoder();
  let told = -Infinity;
  return ({ done, total }) => {
    const now = performance.now();
    if (done < total && now - told < TELL_MS) return;
    told = now;
    const [some, all] = [done, total].map((count) => count.toLocaleString("en"));
    const end = done < total ? "" : "\n";
    Deno.stderr.writeSync(encoder.encode(`\rlooked at ${some} of ${all} objects${end}`));
  };
}
