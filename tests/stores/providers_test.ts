import assert from "node:assert/strict";
import { providerAt } from "../../lib/stores/providers.ts";

Deno.test("providers are recognised by their endpoints", () => {
  const hosts: Record<string, string | undefined> = {
    "s3.amazonaws.com": "AWS S3",
    "s3.eu-west-1.amazonaws.com": "AWS S3",
    "s3.cn-north-1.amazonaws.com.cn": "AWS S3",
    "0123456789abcdef.r2.cloudflarestorage.com": "Cloudflare R2",
    "0123456789abcdef.eu.r2.cloudflarestorage.com": "Cloudflare R2",
    "s3.us-west-004.backblazeb2.com": "Backblaze B2",
    "us-east-1.linodeobjects.com": "Linode Object Storage",
    "nyc3.digitaloceanspaces.com": "DigitalOcean Spaces",
    "storage.googleapis.com": "Google Cloud Storage",
    "s3.eu-central-1.wasabisys.com": "Wasabi",
    "fsn1.your-objectstorage.com": "Hetzner Object Storage",
    "s3.fr-par.scw.cloud": "Scaleway Object Storage",
    "s3.gra.io.cloud.ovh.net": "OVHcloud Object Storage",
    "s3.us-east-va.io.cloud.ovh.us": "OVHcloud Object Storage",
    "minio:9000": "MinIO",
    "play.min.io": "MinIO",
    "192.0.2.1:9000": "MinIO",
    "garage.example.com": "Garage",
    "127.0.0.1:3900": "Garage",
    "localhost:8333": "SeaweedFS",
    "seaweedfs.internal": "SeaweedFS",
    "rgw.example.com": "Ceph",
    "127.0.0.1:7480": "Ceph",
    "objects.example.com": undefined,
    "amazonaws.com.example.org": undefined,
    "notwasabisys.com": undefined,
  };
  for (const [host, name] of Object.entries(hosts)) {
    assert.equal(providerAt(host)?.name, name, host);
  }
});
