/**
 * Handles errors of promises and timers that plugins leave behind.
 *
 * @module
 */
import { cutDownUrls } from "../base/redact.ts";
import { tellFailure } from "../plugins/failure.ts";
import { logger } from "./settings.ts";

/** Logs unhandled errors, which would otherwise end the process, until it is disposed of. */
export function surviveLeftovers(): Disposable {
  const onRejection = (event: PromiseRejectionEvent) => survive(event, event.reason);
  const onError = (event: ErrorEvent) => survive(event, event.error ?? event.message);
  addEventListener("unhandledrejection", onRejection);
  addEventListener("error", onError);
  return {
    [Symbol.dispose]() {
      removeEventListener("unhandledrejection", onRejection);
      removeEventListener("error", onError);
    },
  };
}

function survive(event: Event, failure: unknown): void {
  event.preventDefault();
  logger.error("Unhandled error, probably left behind by a plugin: {message}", {
    message: tellFailure(failure),
  });
  logger.debug("{failure}", { failure: cutDownUrls(Deno.inspect(failure)) });
}
