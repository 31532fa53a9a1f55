/**
 * Media types.
 *
 * @module
 */

/** Media type of JSON lines. */
export const NDJSON = "application/x-ndjson";

/** Media type of pages. */
export const HTML = "text/html";

/** Media type of events. */
export const EVENT_STREAM = "text/event-stream";

/** Media type of JSON. */
export const JSON_TYPE = "application/json";
