/** The configurations of providers in docs/stores.md. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { parse } from "jsonc-parser";
import { checkConfig } from "../../lib/config/check.ts";
import { ConfigError } from "../../lib/errors.ts";
import { openStore } from "../../lib/stores/open.ts";
import { ROOT } from "../library/package_imports.ts";

const [, page] = Deno.readTextFileSync(join(ROOT, "docs/stores.md")).split("\n## Providers\n");
const providers = page.split("\n### ").slice(1).map((section) => {
  const [, block = ""] = /```jsonc\n(.*?)```/s.exec(section) ?? [];
  const name = section.slice(0, section.indexOf("\n"));
  const { config } = checkConfig(parse(block), () => name);
  return { name, section, config };
});

const KEYS = { accessKeyId: "id", secretAccessKey: "secret" };

Deno.test("every provider has a configuration that opens, and a source", async () => {
  const names = providers.map(({ name }) => name);
  assert.deepEqual(names, [
    ...["AWS", "Cloudflare R2", "Backblaze B2", "Linode", "DigitalOcean Spaces"],
    ...["Google Cloud Storage", "Wasabi", "Hetzner", "Scaleway", "OVHcloud"],
    ...["MinIO", "Garage", "SeaweedFS", "Ceph"],
  ]);
  for (const { name, section, config: { store = "", s3 } } of providers) {
    await using opened = await openStore(store, { ...s3, ...KEYS });
    assert.equal(opened.url, "s3://feed-sync/prod", name);
    assert.notEqual(s3?.region, undefined, name);
    assert.match(section, /\]\(https:/, name);
  }
});

Deno.test("the URL of the bucket, as providers show it, is refused as endpoint", async () => {
  for (const { name, config: { store = "", s3 } } of providers) {
    const endpoint = s3?.endpoint ?? `https://s3.${s3?.region}.amazonaws.com`;
    const shown = [`${endpoint}/feed-sync`];
    const isHosted = endpoint.startsWith("https:") && name !== "Ceph";
    if (isHosted) shown.push(endpoint.replace("https://", "https://feed-sync."));
    for (const url of shown) {
      await assert.rejects(openStore(store, { ...s3, ...KEYS, endpoint: url }), (error) => {
        assert.ok(error instanceof ConfigError, name);
        const right = `set 's3.endpoint' to ${endpoint.toLowerCase()}`;
        assert.ok(error.message.endsWith(right), error.message);
        return true;
      });
    }
  }
});
