/**
 * feedsync keeps the servers of a feed aggregator in step through any S3-compatible bucket: each
 * server publishes its updates there, and applies those of the others, in order and at least once.
 *
 * @example
 * ```ts
 * import { connect, publish, watch } from "@feedsync/feedsync";
 *
 * const store = `file:${await Deno.makeTempDir()}`; // or "s3://bucket/prefix"
 * await using web1 = await connect({ store, server: "web-1" });
 * await using web2 = await connect({ store, server: "web-2" });
 *
 * await using watcher = watch(web2, (update) => console.log(update.url, update.content));
 * await publish(web1, { url: "https://example.com/feed.xml", content: "<rss></rss>" });
 * await watcher.poll();
 * ```
 *
 * @module
 */
export { cleanup } from "./lib/cleanup.ts";
export type { CleanupOptions } from "./lib/cleanup.ts";
export type { CleanupReport } from "./lib/retention/clean_up.ts";
export type { NewestSize } from "./lib/retention/sweep.ts";
export { check } from "./lib/check.ts";
export type { CheckFinding, CheckOptions } from "./lib/check.ts";
export type { Finding, FindingLevel } from "./lib/check/finding.ts";
export { checked } from "./lib/checked.ts";
export type { CheckedOptions } from "./lib/checked.ts";
export type { CheckedFeed, CheckOutcome } from "./lib/fleet/turns/outcome.ts";
export type { Duration } from "./lib/base/duration.ts";
export type { Config } from "./lib/config/config.ts";
export type { ApiConfig, ApiInboxConfig } from "./lib/config/api.ts";
export type { ByteSize } from "./lib/base/byte_size.ts";
export type { CoreConfig, LogLevel, PollConfig } from "./lib/config/core.ts";
export type { EncryptionConfig } from "./lib/config/encryption.ts";
export type { FilesConfig } from "./lib/config/files.ts";
export type { AssumeRoleConfig, CannedAcl, S3Config } from "./lib/config/s3.ts";
export type { TurnsConfig } from "./lib/config/turns.ts";
export type { WakeConfig, WakeQueueConfig } from "./lib/config/wake.ts";
export { connect } from "./lib/connect.ts";
export type { ConnectConfig, ConnectOptions } from "./lib/connect.ts";
export type { FeedSync } from "./lib/connection.ts";
export { deadLetters } from "./lib/dead_letters.ts";
export type {
  DeadLetter,
  DeadLetterQueue,
  ListLettersOptions,
  RetriedLetter,
  RetryOptions,
} from "./lib/dead_letters.ts";
export {
  AccessDeniedError,
  BackendUnavailableError,
  ClosedError,
  ConfigError,
  CorruptObjectError,
  FeedSyncError,
  InvalidUpdateError,
  MissingKeyError,
  MissingObjectError,
  RejectedUpdateError,
  StateError,
  StoreUnavailableError,
  UnsupportedFormatError,
  UpdateConflictError,
  UpdatesLostError,
} from "./lib/errors.ts";
export type { UnreadableError } from "./lib/errors.ts";
export { due } from "./lib/due.ts";
export type {
  DueOptions,
  DueTurn,
  Turn,
  Validators,
  WaitingReason,
  WaitingTurn,
} from "./lib/fleet/turns/turn.ts";
export { init } from "./lib/init.ts";
export type { InitOptions } from "./lib/init.ts";
export { parseFeedList } from "./lib/feed_list.ts";
export type { ParseFeedListOptions } from "./lib/feed_list.ts";
export { feeds } from "./lib/feeds.ts";
export type { FeedsOptions } from "./lib/feeds.ts";
export type { FeedInfo } from "./lib/reading/lookup/list_feeds.ts";
export { normalizeFeedUrl } from "./lib/feed_url.ts";
export type { FeedUrlOptions } from "./lib/feed_url.ts";
export { newest } from "./lib/newest.ts";
export type { NewestOptions } from "./lib/newest.ts";
export { definePlugin } from "./lib/plugin.ts";
export type {
  AnyPlugin,
  CallContext,
  OptionsSchema,
  PlainPlugin,
  Plugin,
  PluginEntries,
  PluginEntry,
  PluginLogger,
  PluginUse,
  SetupContext,
  UpdateCallback,
} from "./lib/plugin.ts";
export type { FailedUpdate } from "./lib/reading/receivers.ts";
export { publish } from "./lib/publish.ts";
export type { PublishedReceipt, PublishOptions, Receipt, SkippedReceipt } from "./lib/publish.ts";
export { restore } from "./lib/restore.ts";
export type { RestoreOptions } from "./lib/restore.ts";
export { rekey } from "./lib/rekey.ts";
export type { RekeyOptions } from "./lib/rekey.ts";
export type { RekeyProgress, RekeyReport } from "./lib/log/newest/rekey.ts";
export { status } from "./lib/status.ts";
export type { StatusOptions } from "./lib/status.ts";
export type {
  ConsumerStatus,
  FleetStatus,
  NoteKind,
  Problem,
  ProblemKind,
  ServerAddress,
  ServerReport,
  ServerStatus,
  StreamStatus,
  UnreadablePresence,
} from "./lib/fleet/status/fleet_status.ts";
export type { ConsumerReport, ReportedError, TurnsReport } from "./lib/log/fleet/presence.ts";
export type { RequestCounts } from "./lib/stores/store.ts";
export { contentBytes, contentFromBytes, updateToJson } from "./lib/update.ts";
export type {
  ContentUpdate,
  FeedContent,
  Gap,
  Json,
  JsonInput,
  JsonObject,
  PlainObject,
  RemovalUpdate,
  Update,
  UpdateBase,
  UpdateInput,
} from "./lib/update.ts";
export type { WakeUpCounts } from "./lib/wake/send/peers.ts";
export { watch } from "./lib/watch.ts";
export type {
  PollReport,
  RestoreProgress,
  RestoreReport,
  Watcher,
  WatchOptions,
} from "./lib/reading/watcher.ts";
export { watchFiles } from "./lib/watch_files.ts";
export type { FilesWatcher, WatchFilesOptions } from "./lib/watch_files.ts";
export type { KnownFile, KnownFiles, NewestKnown } from "./lib/known_files.ts";
export type { ScanReport } from "./lib/files/watching/scan.ts";
