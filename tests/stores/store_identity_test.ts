import assert from "node:assert/strict";
import { serviceName } from "../../lib/stores/store_identity.ts";

Deno.test("a service is the same however its endpoint is written", () => {
  const same = [
    "https://minio.example.com",
    "http://minio.example.com/",
    "HTTPS://MINIO.example.com:443",
    "http://minio.example.com:80",
    "minio.example.com",
  ];
  assert.deepEqual(new Set(same.map((endpoint) => serviceName(endpoint))).size, 1);
  assert.notEqual(serviceName("http://minio.example.com:9000"), serviceName(same[0]));
  assert.equal(serviceName("minio:9000"), serviceName("http://minio:9000"));
  assert.equal(serviceName("https://x.supabase.co/storage/v1/s3/"), "x.supabase.co/storage/v1/s3");
});

Deno.test("AWS is one service in each part of the world that has buckets of its own", () => {
  const aws = serviceName(undefined, "eu-west-1");
  for (
    const endpoint of [
      "https://s3.amazonaws.com",
      "https://s3.us-east-2.amazonaws.com",
      "https://s3.dualstack.eu-west-1.amazonaws.com",
      "https://bucket.vpce-1a2b.s3.us-east-1.vpce.amazonaws.com",
      aws,
    ]
  ) assert.equal(serviceName(endpoint), aws, endpoint);
  assert.equal(
    serviceName("https://s3.cn-north-1.amazonaws.com.cn"),
    serviceName(undefined, "cn-northwest-1"),
  );
  assert.equal(
    serviceName("https://s3.us-gov-west-1.amazonaws.com"),
    serviceName(undefined, "us-gov-east-1"),
  );
  const places = ["eu-west-1", "cn-north-1", "us-gov-west-1"];
  assert.equal(new Set(places.map((region) => serviceName(undefined, region))).size, 3);
  assert.notEqual(serviceName("https://amazonaws.com.example.org"), aws);
});
