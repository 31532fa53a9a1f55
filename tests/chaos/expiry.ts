/**
 * A cleanup as it is once the retention has passed, without waiting for that.
 *
 * @module
 */
import { systemEnvironment } from "../../lib/base/environment.ts";
import { BucketLog } from "../../lib/log/bucket_log.ts";
import { JweEnvelope } from "../../lib/log/encryption/jwe_envelope.ts";
import { cleanUp, type CleanupReport, problemsOf } from "../../lib/retention/clean_up.ts";
import { openStore } from "../../lib/stores/open.ts";
import type { Setting } from "./setting.ts";

/** Cleans up as if the retention were so short that of each stream little more than the newest commit stays. */
export async function expireLog(
  { site: { bucket: { url, s3 } }, keys }: Setting,
): Promise<CleanupReport> {
  await using store = await openStore(url, s3);
  const envelope = await JweEnvelope.open({ keys, allowPlaintext: false }, url);
  const environment = systemEnvironment;
  const log = new BucketLog(store, { environment, envelope });
  const { streams } = await log.listAll();
  const newest = [...streams.values()].map((objects) =>
    Math.max(...objects.map(({ lastModified }) => lastModified!))
  );
  // The newest commits must stay: publishers would begin new streams.
  const maxAge = Math.max(...newest.map((time) => log.now() - time)) + 1000;
  return await cleanUp(log, { maxAge, sweepAll: true, problems: problemsOf(environment) });
}
