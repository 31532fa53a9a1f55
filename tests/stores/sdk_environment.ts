import { fileURLToPath } from "node:url";

/**
 * An environment in which the AWS SDK finds nothing but what is given. Test files that run side by side
 * share one environment: the others that change it wait meanwhile.
 */
export function sdkEnvironment(variables: Record<string, string> = {}): Disposable {
  const changed: Record<string, string | undefined> = {
    AWS_ACCESS_KEY_ID: undefined,
    AWS_SECRET_ACCESS_KEY: undefined,
    AWS_SESSION_TOKEN: undefined,
    AWS_PROFILE: undefined,
    AWS_REGION: undefined,
    AWS_ENDPOINT_URL: undefined,
    AWS_ENDPOINT_URL_S3: undefined,
    AWS_CONTAINER_CREDENTIALS_RELATIVE_URI: undefined,
    AWS_CONTAINER_CREDENTIALS_FULL_URI: undefined,
    AWS_WEB_IDENTITY_TOKEN_FILE: undefined,
    AWS_CONFIG_FILE: "/nowhere",
    AWS_SHARED_CREDENTIALS_FILE: "/nowhere",
    AWS_EC2_METADATA_DISABLED: "true",
    ...variables,
  };
  const lock = Deno.openSync(fileURLToPath(import.meta.url));
  lock.lockSync(true);
  const before = Object.keys(changed).map((name) => [name, Deno.env.get(name)] as const);
  for (const [name, value] of Object.entries(changed)) set(name, value);
  return {
    [Symbol.dispose]() {
      before.forEach(([name, value]) => set(name, value));
      lock.close();
    },
  };
}

function set(name: string, value: string | undefined): void {
  if (value === undefined) Deno.env.delete(name);
  else Deno.env.set(name, value);
}
