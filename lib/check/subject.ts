/**
 * What the checks look at.
 *
 * @module
 */
import type { Environment } from "../base/environment.ts";
import type { ResolvedConfig } from "../config/resolve.ts";
import { type CollectedFleet, collectFleet } from "../fleet/status/collect.ts";
import { BucketLog } from "../log/bucket_log.ts";
import type { Envelope } from "../log/encryption/envelope.ts";
import { openEnvelope } from "../log/encryption/open.ts";
import { openStore } from "../stores/open.ts";
import type { ObjectStore } from "../stores/store.ts";
import { warning, wrong } from "./finding.ts";
import type { Finding } from "./finding.ts";
import { type Probe, probeStore } from "./probe.ts";

/** What all checks have. */
export interface SubjectOptions {
  /** Time and randomness. */
  readonly environment: Environment;
  /** Aborts the checks. */
  readonly signal: AbortSignal;
  /** Whether to make checks that cost traffic. @default false */
  readonly isThorough?: boolean | undefined;
}

/** The store, and what it answered. */
export interface StoreView {
  /** The store; absent if it could not be opened. */
  readonly store?: ObjectStore;
  /** What it answered; absent if it cannot be used. */
  readonly probe?: Probe;
  /** What is wrong with it altogether, and what therefore cannot be checked. */
  readonly blocked?: { readonly finding: Finding; readonly reason: string };
}

/** A configuration, and what it leads to. */
export class Subject implements AsyncDisposable {
  readonly config: ResolvedConfig;
  readonly environment: Environment;
  readonly signal: AbortSignal;
  /** Whether to make checks that cost traffic. */
  readonly isThorough: boolean;
  readonly #view: StoreView;
  #envelope: Promise<Envelope | undefined> | undefined;
  #log: BucketLog | undefined;
  #fleet: Promise<CollectedFleet> | undefined;

  private constructor(config: ResolvedConfig, options: SubjectOptions, view: StoreView) {
    this.config = config;
    this.environment = options.environment;
    this.signal = options.signal;
    this.isThorough = options.isThorough ?? false;
    this.#view = view;
  }

  /** Opens and probes the store. Rejects only when it is aborted. */
  static async open(config: ResolvedConfig, options: SubjectOptions): Promise<Subject> {
    return new Subject(config, options, await viewStore(config, options));
  }

  /** The store, if it could be opened. */
  get store(): ObjectStore | undefined {
    return this.#view.store;
  }

  /** What the store answered. Only for checks that need it. */
  get probe(): Probe {
    return this.#view.probe!;
  }

  /** What is wrong with the store altogether, and what therefore cannot be checked. */
  get blocked(): StoreView["blocked"] {
    return this.#view.blocked;
  }

  /**
   * The keys, if there are any.
   *
   * @throws {ConfigError} when they cannot be used.
   */
  envelope(): Promise<Envelope | undefined> {
    const { encryption, store } = this.config;
    return this.#envelope ??= openEnvelope(encryption, this.store?.url ?? store);
  }

  /** The log in the store, which must not be blocked. Throws as {@linkcode Subject.envelope} does. */
  async log(): Promise<BucketLog> {
    const { environment } = this, envelope = await this.envelope();
    return this.#log ??= new BucketLog(this.store!, { environment, envelope });
  }

  /** The presences of the servers. Throws as {@linkcode Subject.log} and listings do. */
  fleet(): Promise<CollectedFleet> {
    return this.#fleet ??= this.log().then((log) => collectFleet(log, this));
  }

  /** Closes the store. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.store?.[Symbol.asyncDispose]();
  }
}

async function viewStore(config: ResolvedConfig, options: SubjectOptions): Promise<StoreView> {
  const { directory, s3 } = config, { environment } = options;
  let store: ObjectStore;
  try {
    store = await openStore(config.store, s3, { directory, environment });
  } catch (error) {
    return { blocked: { finding: wrong(error as Error), reason: "the store cannot be used" } };
  }
  const absent = await absentDirectory(store.url);
  if (absent) return { store, blocked: absent };
  const probe = await probeStore(store, options);
  const { list: { error }, before } = probe;
  if (before) return { store, probe };
  return {
    store,
    blocked: { finding: wrong(error!), reason: "the store does not answer as it should" },
  };
}

/** A directory comes with the first object. */
async function absentDirectory(url: string): Promise<StoreView["blocked"]> {
  if (!url.startsWith("file:")) return undefined;
  try {
    await Deno.stat(url.slice("file:".length));
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) return undefined; // Using it tells what is wrong.
    const what = `The store ${url} is not there yet`;
    const advice = "Publishing the first update makes the directory. If servers have used it " +
      "before: is its disk mounted?";
    return { finding: warning(what, advice), reason: "the store is not there yet" };
  }
}
