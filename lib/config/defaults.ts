/**
 * What is used where the configuration is silent.
 *
 * @module
 */
import { DEFAULT_URL_SCHEMES } from "../feed_url.ts";
import type { Config, FilesConfig } from "./config.ts";
import type { AssumeRoleConfig } from "./s3_config.ts";

/** Defaults of the top-level keys. */
export const DEFAULTS = {
  enabled: true,
  store: "file:.feedsync/store",
  state: ":memory:",
  poll: "10s",
  from: "earliest",
  retention: "24h",
  peers: [],
  wake: [],
  marker: false,
  includeOwn: false,
  urlSchemes: DEFAULT_URL_SCHEMES,
  plugins: ["log"],
  commitInterval: 0,
  publishTimeout: "30s",
  callbackTimeout: "30s",
  stopTimeout: "10s",
  logLevel: "info",
} as const satisfies Config;

/** Defaults of the keys in `files`. */
export const FILES_DEFAULTS = {
  settle: "200ms",
  rescan: "1m",
  publishRemovals: false,
} as const satisfies FilesConfig;

/** Defaults of the keys in `s3.assumeRole`. */
export const ASSUME_ROLE_DEFAULTS = {
  duration: "1h",
} as const satisfies AssumeRoleConfig;
