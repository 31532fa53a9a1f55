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
import { ProgressLine } from "../progress.ts";
import { explainStore, loadSettings } from "../settings.ts";

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
  using line = new ProgressLine();
  const onProgress = (progress: RekeyProgress) =>
    line.update(progress, (done, all) => `examined ${done} of ${all} objects`);
  const { error, ...counts } = await rekey(sync, { dryRun, onProgress, signal });
  line.clear();
  const { rekeyed, examined, failed } = counts;
  const left = failed > 0 ? `, ${failed} failed` : "";
  const text = `${dryRun ? "would rekey" : "rekeyed"} ${rekeyed} of ${examined} objects${left}`;
  await (args.has("json") ? printJson(counts) : print(text));
  if (error) throw error;
}
