/**
 * Providers of S3-compatible stores, recognised by their endpoints.
 *
 * @module
 */

/** A provider, or a server that one runs oneself. */
export interface Provider {
  /** Short name, as in `feedsync cost --provider`. */
  readonly id: string;
  /** Its name. */
  readonly name: string;
  /** Ends of the hosts of its endpoints. A host that begins with a bucket's name is the bucket's. */
  readonly domain?: RegExp;
  /** Hosts and ports by which a server of one's own may be recognised. */
  readonly likely?: RegExp;
  /** What matters to feedsync, in a few words. @default nothing in particular */
  readonly known?: string;
}

/** The providers; the first that matches counts. Sources of what is known are beside it. */
export const PROVIDERS: readonly Provider[] = [
  {
    id: "aws",
    name: "AWS S3",
    domain: /(^|\.)amazonaws\.com(\.cn)?$/,
    // https://aws.amazon.com/s3/consistency/, https://aws.amazon.com/s3/pricing/
    known: "consistent; each LIST and PUT costs, DELETE is free",
  },
  {
    id: "r2",
    name: "Cloudflare R2",
    domain: /(^|\.)r2\.cloudflarestorage\.com$/,
    // https://developers.cloudflare.com/r2/reference/consistency/, …/r2/api/s3/api/
    known: "consistent; the region is auto; keeps no versions; each LIST and PUT costs",
  },
  {
    id: "b2",
    name: "Backblaze B2",
    domain: /(^|\.)backblazeb2\.com$/,
    // https://www.backblaze.com/docs/cloud-storage-lifecycle-rules, …/cloud-storage-data-caps-and-alerts
    known: "every bucket keeps versions: choose “Keep only the last version of the file”; " +
      "beyond its cap on transactions it refuses requests",
  },
  {
    id: "linode",
    name: "Linode Object Storage",
    domain: /(^|\.)linodeobjects\.com$/,
    // https://www.linode.com/pricing/
    known: "requests are free",
  },
  {
    id: "spaces",
    name: "DigitalOcean Spaces",
    domain: /(^|\.)digitaloceanspaces\.com$/,
    // https://docs.digitalocean.com/products/spaces/how-to/enable-cdn/
    known: "its endpoints with .cdn. in their names are caches: use the one without",
  },
  {
    id: "gcs",
    name: "Google Cloud Storage",
    domain: /(^|\.)storage\.googleapis\.com$/,
    // https://cloud.google.com/storage/docs/authentication/hmackeys, https://cloud.google.com/storage/quotas
    known: "takes HMAC keys, as of a service account; one object can be written once a second",
  },
  {
    id: "wasabi",
    name: "Wasabi",
    domain: /(^|\.)wasabisys\.com$/,
    // https://docs.wasabi.com/v1/docs/how-does-wasabis-minimum-storage-duration-policy-work
    known: "requests are free, but each object is paid for at least 90 days (30 with reserved " +
      "capacity), even if it is deleted before",
  },
  {
    id: "hetzner",
    name: "Hetzner Object Storage",
    domain: /(^|\.)your-objectstorage\.com$/,
    // https://docs.hetzner.com/storage/object-storage/overview
    known: "a Ceph cluster; the region is the first part of the host, such as fsn1",
  },
  {
    id: "scaleway",
    name: "Scaleway Object Storage",
    domain: /(^|\.)scw\.cloud$/,
    // https://www.scaleway.com/en/docs/object-storage/concepts/
    known: "the region is part of the host, such as fr-par",
  },
  {
    id: "ovh",
    name: "OVHcloud Object Storage",
    domain: /(^|\.)ovh\.(net|us)$/,
    // https://help.ovhcloud.com/csm/en-public-cloud-storage-s3-location
    known: "the region is part of the host, in lower case, such as gra",
  },
  { id: "exoscale", name: "Exoscale", domain: /(^|\.)exo\.io$/ },
  { id: "vultr", name: "Vultr Object Storage", domain: /(^|\.)vultrobjects\.com$/ },
  { id: "aliyun", name: "Alibaba Cloud OSS", domain: /(^|\.)aliyuncs\.com$/ },
  { id: "tencent", name: "Tencent Cloud COS", domain: /(^|\.)myqcloud\.com$/ },
  { id: "idrive", name: "IDrive e2", domain: /(^|\.)idrivee2\.com$/ },
  {
    id: "garage",
    name: "Garage",
    likely: /\bgarage\b|:3900$/,
    // https://garagehq.deuxfleurs.fr/documentation/connect/
    known: "the region is the s3_region of its configuration, often garage",
  },
  {
    id: "seaweedfs",
    name: "SeaweedFS",
    likely: /\bseaweed(fs)?\b|:8333$/,
    // https://github.com/seaweedfs/seaweedfs/wiki/Amazon-S3-API
    known: "any region; `weed server -s3` serves it at port 8333",
  },
  {
    id: "ceph",
    name: "Ceph",
    likely: /\b(ceph|rgw|radosgw)\b|:7480$/,
    // https://docs.ceph.com/en/latest/radosgw/config-ref/
    known: "names of buckets in hosts need rgw_dns_name: path style does not",
  },
  {
    id: "minio",
    name: "MinIO",
    likely: /\bmin(\.?io)\b|:9000$/,
    // https://min.io/docs/minio/linux/administration/console.html
    known: "the API is at port 9000, the console at another one",
  },
];

/** The provider at a host, with its port if there is one, such as `minio:9000`. */
export function providerAt(host: string): Provider | undefined {
  const name = host.replace(/:\d+$/, "");
  return PROVIDERS.find(({ domain, likely }) => domain?.test(name) || likely?.test(host));
}
