/**
 * Media types.
 *
 * @module
 */

/** Media type of JSON lines. */
export const NDJSON = "application/x-ndjson";

/** Media type of JSON. */
export const JSON_TYPE = "application/json";
