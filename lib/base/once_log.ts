/**
 * Logging what stays wrong for a while: once, not at every attempt.
 *
 * @module
 */
import type { Clock } from "./environment.ts";

/** What still holds is logged again after so long. */
const REPEAT_MS = 60 * 60 * 1000;

/** So many subjects are told apart: others may choose what fails, and how often under a new name. */
const MAX_SUBJECTS = 100;

/** What is logged of all beyond that. */
const MANY_OTHERS = {
  text: `There are more than ${MAX_SUBJECTS} such problems; no others are logged`,
};

/** Shared subject for the rest; real subjects are never empty. */
const OTHERS = "";

/** How severe a problem is. */
export type Severity = "info" | "warn" | "error";

/** A message for LogTape: `{name}` in the text stands for the property `name`. */
export interface LogMessage {
  /** The text. */
  readonly text: string;
  /** What its placeholders stand for. */
  readonly properties?: Readonly<Record<string, unknown>>;
  /**
   * What makes it another problem, where the message itself has details that differ each time.
   *
   * @default the text and its properties
   */
  readonly kind?: string;
}

/** Where problems are logged: a logger of LogTape, or whatever has its methods. */
export type ProblemLogger = Readonly<
  Record<Severity, (text: string, properties?: Record<string, unknown>) => void>
>;

/** Options of {@linkcode OnceLog.resolved}. */
export interface ResolvedOptions {
  /**
   * For how long the problem must not have been reported: where good and bad alternate, each turn
   * would be logged otherwise. In milliseconds. @default 0
   */
  readonly quietMs?: number;
}

interface Problem {
  readonly kind: string;
  readonly loggedAt: number;
  /** When it was reported last, logged or not. */
  seenAt: number;
}

/** Logs each problem when it begins or changes, every hour while it lasts, and when it is over. */
export class OnceLog {
  readonly #logger: ProblemLogger;
  readonly #clock: Clock;
  readonly #open = new Map<string, Problem>();

  /** Nothing is wrong yet. */
  constructor(logger: ProblemLogger, clock: Clock) {
    this.#logger = logger;
    this.#clock = clock;
  }

  /** Whether there is an open problem with the subject. */
  has(subject: string): boolean {
    return this.#open.has(subject);
  }

  /**
   * Reports a problem with `subject`: a file, a peer, a store …
   *
   * @returns whether it was logged, because it is new, another one, or lasts for an hour.
   */
  problem(subject: string, message: LogMessage, severity: Severity = "warn"): boolean {
    if (!this.#open.has(subject) && this.#open.size >= MAX_SUBJECTS) {
      return this.#log(OTHERS, MANY_OTHERS, severity);
    }
    return this.#log(subject, message, severity);
  }

  /** The problem with `subject` is over: logs `message`, if there was one; returns whether it is. */
  resolved(
    subject: string,
    { text, properties }: LogMessage = { text: "" },
    { quietMs = 0 }: ResolvedOptions = {},
  ): boolean {
    const known = this.#open.get(subject);
    if (!known || this.#clock.elapsed() - known.seenAt < quietMs) return false;
    this.#open.delete(subject);
    if (text !== "") this.#logger.info(text, { ...properties });
    return true;
  }

  #log(subject: string, message: LogMessage, severity: Severity): boolean {
    const { text, properties = {}, kind = [text, ...Object.values(properties)].join("\n") } =
      message;
    const known = this.#open.get(subject);
    const now = this.#clock.elapsed();
    if (known?.kind === kind && now - known.loggedAt < REPEAT_MS) {
      known.seenAt = now;
      return false;
    }
    this.#open.set(subject, { kind, loggedAt: now, seenAt: now });
    this.#logger[severity](text, { ...properties });
    return true;
  }
}
