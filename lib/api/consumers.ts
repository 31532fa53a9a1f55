/**
 * What the routes of consumers share.
 *
 * @module
 */
import type { Consumers } from "../consumers/consumers.ts";
import type { ApiContext } from "./context.ts";
import { ApiError, invalidRequest } from "./errors.ts";
import type { ApiRequest } from "./request.ts";

const NAME = /^[a-z0-9][a-z0-9._-]{0,62}$/;

/**
 * The consumers of this server.
 *
 * @throws {ApiError} when feedsync is disabled.
 */
export function consumersOf({ consumers }: ApiContext): Consumers {
  if (consumers) return consumers;
  throw new ApiError(503, {
    name: "DisabledError",
    message: 'There are no consumers: feedsync is disabled ("enabled": false)',
  });
}

/**
 * The name of the consumer in the path.
 *
 * @throws {ApiError} when no consumer can have it.
 */
export function nameOf({ params: { name } }: ApiRequest): string {
  if (NAME.test(name)) return name;
  throw invalidRequest(
    "The name of a consumer must be 1 to 63 of a-z, 0-9, '.', '_' and '-', the first a letter or digit",
  );
}
