/**
 * `feedsync rekey`: re-encrypts `newest/` with the current keys.
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

/** Minimum delay between two updates of the progress line. */
const PROGRESS_INTERVAL_MS = 200;

/** Rekeys the configured store; throws the first error if an object could not be rekeyed. */
export async function run({ args, signal }: CommandContext): Promise<void> {
  const dryRun = args.has("dry-run");
  const settings = await loadSettings(args);
  if (!settings.config.encryption?.keys) {
    throw new ConfigError(
      "Cannot rekey: no keys are configured; set 'encryption.keys', or FEEDSYNC_ENCRYPTION_KEYS",
    );
  }
  await using sync = await connect({ ...settings.config, state: ":memory:" }, settings);
  explainStore(sync, settings);
  const onProgress = Deno.stderr.isTerminal() ? progressLine() : undefined;
  const { error, ...counts } = await rekey(sync, { dryRun, onProgress, signal });
  const { rekeyed, examined, failed } = counts;
  const left = failed > 0 ? `, ${failed} failed` : "";
  const text = `${dryRun ? "would rekey" : "rekeyed"} ${rekeyed} of ${examined} objects${left}`;
  await (args.has("json") ? printJson(counts) : print(text));
  if (error) throw error;
}

/** Shows the progress in one line that is overwritten. */
function progressLine(): (progress: RekeyProgress) => void {
  const encoder = new TextEncoder();
  let shownAt = -Infinity;
  return ({ done, total }) => {
    const now = performance.now();
    if (done < total && now - shownAt < PROGRESS_INTERVAL_MS) return;
    shownAt = now;
    const [some, all] = [done, total].map((count) => count.toLocaleString("en"));
    const end = done < total ? "" : "\n";
    Deno.stderr.writeSync(encoder.encode(`\rexamined ${some} of ${all} objects${end}`));
  };
}
