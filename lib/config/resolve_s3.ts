/**
 * The `s3` keys with what they leave out.
 *
 * @module
 */
import { defined } from "./merge.ts";
import { absoluteS3 } from "./paths.ts";
import type { S3Config } from "./s3_config.ts";

/** AWS takes no longer name of a session. */
const SESSION_NAME_LENGTH = 64;

/** Makes the path absolute that may start from `directory`, and names the session of `server`. */
export function resolveS3(
  s3: S3Config,
  { directory, server }: { readonly directory: string; readonly server: string },
): S3Config {
  const resolved = absoluteS3(s3, directory);
  if (!s3.assumeRole) return resolved;
  const sessionName = `feedsync-${server}`.slice(0, SESSION_NAME_LENGTH);
  return { ...resolved, assumeRole: { sessionName, ...defined(s3.assumeRole) } };
}
