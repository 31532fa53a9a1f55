/**
 * Tells what is known of the provider.
 *
 * @module
 */
import { providerAt } from "../stores/providers.ts";
import { type Finding, ok, warning } from "./finding.ts";
import type { Subject } from "./subject.ts";

/** Names the provider, by the endpoint. */
export function* checkProvider({ store }: Pick<Subject, "store">): Iterable<Finding> {
  const { service } = store ?? {};
  if (service === undefined) return;
  const [host] = service.split("/");
  const provider = providerAt(host);
  if (!provider) return yield ok(`The provider at ${host} is not one that feedsync knows`);
  const { name, domain, known } = provider;
  const about = known ? `: ${known}` : "";
  yield ok(domain ? `The provider is ${name}${about}` : `It looks like ${name}${about}`);
  if (/\.cdn\.digitaloceanspaces\.com$/.test(host)) {
    const right = host.replace(".cdn.", ".");
    yield warning(`${host} is a cache`, `Set 's3.endpoint' to https://${right}`);
  }
}
