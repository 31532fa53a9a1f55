/**
 * Users of Ceph's gateway, and what they may do.
 *
 * @module
 */
import { PutBucketPolicyCommand, S3Client } from "@aws-sdk/client-s3";
import type { CephServer } from "./ceph.ts";

/** A user. */
export interface CephUser {
  /** How policies name the user. */
  readonly arn: string;
  /** How to connect as this user. */
  readonly s3: {
    readonly endpoint: string;
    readonly region: string;
    readonly accessKeyId: string;
    readonly secretAccessKey: string;
  };
}

/** What a policy allows. */
export interface Statement {
  readonly Action: string | readonly string[];
  readonly Resource?: string | readonly string[];
  readonly [key: string]: unknown;
}

/** Makes a user, with these options of `radosgw-admin`. */
export async function createUser(ceph: CephServer, ...options: string[]): Promise<CephUser> {
  const id = crypto.randomUUID();
  const accessKeyId = `key-${id}`, secretAccessKey = `secret-${id}`;
  await ceph.admin(
    ...["user", "create", `--uid=${id}`, "--display-name=Test", ...options],
    ...[`--access-key=${accessKeyId}`, `--secret-key=${secretAccessKey}`],
  );
  const { endpoint, region } = ceph;
  const s3 = { endpoint, region, accessKeyId, secretAccessKey };
  return { arn: `arn:aws:iam:::user/${id}`, s3 };
}

/** Makes a role with these rights that the user may assume; resolves to how policies name it. */
export async function createRole(
  ceph: CephServer,
  { arn }: CephUser,
  rights: readonly Statement[],
): Promise<string> {
  const name = `role-${crypto.randomUUID()}`;
  const trust = policy([{ Principal: { AWS: [arn] }, Action: "sts:AssumeRole" }]);
  await ceph.admin("role", "create", `--role-name=${name}`, `--assume-role-policy-doc=${trust}`);
  await ceph.admin(
    ...["role-policy", "put", `--role-name=${name}`],
    ...["--policy-name=rights", `--policy-doc=${policy(rights)}`],
  );
  return `arn:aws:iam:::role/${name}`;
}

/** Lets a user do in the bucket what the statements say, and nothing else. */
export async function allow(
  { endpoint, region, accessKeyId, secretAccessKey }: CephServer,
  { arn }: CephUser,
  bucket: string,
  statements: readonly Statement[],
): Promise<void> {
  const credentials = { accessKeyId, secretAccessKey };
  const client = new S3Client({ endpoint, region, credentials, forcePathStyle: true });
  const Policy = policy(
    statements.map((statement) => ({ ...statement, Principal: { AWS: [arn] } })),
  );
  await client.send(new PutBucketPolicyCommand({ Bucket: bucket, Policy }));
  client.destroy();
}

/** A policy document; statements allow unless they say otherwise. */
function policy(statements: readonly Statement[]): string {
  const Statement = statements.map((statement) => ({ Effect: "Allow", ...statement }));
  return JSON.stringify({ Version: "2012-10-17", Statement });
}
