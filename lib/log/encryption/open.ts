/**
 * Opens the encryption of the configuration.
 *
 * @module
 */
import type { ResolvedEncryption } from "../../config/encryption.ts";
import type { Envelope } from "./envelope.ts";

/**
 * Opens the encryption for the store at this URL; undefined without encryption. Its modules are loaded
 * only if it is configured.
 *
 * @throws {ConfigError} when the keys cannot be used.
 */
export async function openEnvelope(
  encryption: ResolvedEncryption | undefined,
  store: string,
): Promise<Envelope | undefined> {
  if (!encryption) return undefined;
  const { JweEnvelope } = await import("./jwe_envelope.ts");
  return await JweEnvelope.open(encryption, store);
}
