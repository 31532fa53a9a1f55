/**
 * Certificates of an authority that nobody knows, for tests.
 *
 * @module
 */
import { join } from "node:path";

/** Files in PEM. */
export interface Certificates {
  /** Certificate of the authority. */
  readonly authority: string;
  /** Certificate for `localhost`, signed by the authority. */
  readonly certificate: string;
  /** Its private key. */
  readonly key: string;
}

/** Makes an authority and a certificate in `directory`. */
export async function makeCertificates(directory: string): Promise<Certificates> {
  const authority = join(directory, "ca.pem"), authorityKey = join(directory, "ca.key");
  const certificate = join(directory, "localhost.pem"), key = join(directory, "localhost.key");
  const made = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
  await openssl(...made, "-subj", "/CN=Test", "-keyout", authorityKey, "-out", authority);
  await openssl(
    ...[...made, "-subj", "/CN=localhost", "-keyout", key, "-out", certificate],
    ...["-CA", authority, "-CAkey", authorityKey, "-addext", "subjectAltName=DNS:localhost"],
    ...["-addext", "basicConstraints=critical,CA:FALSE"],
  );
  return { authority, certificate, key };
}

async function openssl(...args: string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command("openssl", { args }).output();
  if (!success) throw new Error(`openssl failed: ${new TextDecoder().decode(stderr)}`);
}
