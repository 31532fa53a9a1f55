/**
 * Reads the configuration of a running `watch` again.
 *
 * @module
 */
import type { Config } from "../../config/config.ts";
import type { LoadedConfig } from "../../config/load.ts";
import { changesIn } from "../../config/reload.ts";
import { resolveConfig } from "../../config/resolve.ts";
import type { Connection } from "../../connection.ts";
import { messageOf } from "../../errors.ts";
import { logger } from "../settings.ts";

/** Returns a function that reads the configuration again with `load`, and takes over what can be. */
export function reloader(
  connection: Connection,
  begun: Config,
  load: () => Promise<LoadedConfig>,
): () => void {
  let last = begun, reloading = Promise.resolve();
  const reload = async () => {
    try {
      const loaded = await load(), { config } = loaded;
      const { poll, presence, wake: { peers } } = resolveConfig(config, loaded);
      const { takenOver, needRestart } = changesIn(config, { begun, last });
      connection.reconfigure({
        poll: takenOver.includes("poll") ? poll : undefined,
        presence: takenOver.includes("presence") && presence ? presence : undefined,
        peers: takenOver.includes("wake.peers") && peers !== "auto" ? peers : undefined,
      });
      last = config;
      logger.info("The configuration was read again; changed: {takenOver}{needRestart}", {
        takenOver: takenOver.join(", ") || "nothing",
        needRestart: needRestart.length > 0 ? `; after a restart: ${needRestart.join(", ")}` : "",
      });
    } catch (error) {
      logger.error("Cannot read the configuration again, keeping the former one: {message}", {
        message: messageOf(error),
      });
    }
  };
  return () => void (reloading = reloading.then(reload));
}
