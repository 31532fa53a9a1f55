/**
 * The bodies of requests and answers, described once: for checking, for `/openapi.json`, and for
 * docs/api.md. Contents and metadata are not described: `publish()` checks them, within its bounds.
 *
 * @module
 */
import * as z from "zod";

/** All schemas by their names in `/openapi.json`. */
export const SCHEMAS: z.core.$ZodRegistry<{ id: string }> = z.registry<{ id: string }>();

/** Gives a schema its name in `/openapi.json`. */
export function named<S extends z.ZodType>(id: string, schema: S): S {
  SCHEMAS.add(schema, { id });
  return schema;
}

const url = z.string().meta({ description: "URL of the feed" });
/** A time. */
export const time: z.ZodString = z.string().meta({
  description: "ISO 8601 with milliseconds, UTC",
});
const object = z.record(z.string(), z.unknown());
const content = z.unknown().meta({
  description: 'Text or parsed content; with "encoding": "base64", bytes',
});
const encoding = z.literal("base64").optional();
const duration = z.union([z.string(), z.number()]).meta({
  description: 'Such as "15m"; a number is milliseconds',
});

/** An error. */
export const errorSchema = named(
  "Error",
  z.object({
    error: z.object({
      name: z.string().meta({ description: "Stable name of the error" }),
      message: z.string(),
      cursor: z.string().optional().meta({ description: "Where a consumer is to go on" }),
    }),
  }),
);

/** An update to publish. */
export const updateInputSchema = named(
  "UpdateInput",
  z.strictObject({
    url,
    content: content.optional(),
    encoding,
    metadata: object.optional(),
    removed: z.boolean().optional().meta({ description: "Whether the feed is gone" }),
    id: z.string().optional().meta({
      description: "Name for the update: within a day, the same again is the same receipt",
    }),
  }),
);

/** A checked feed. */
export const checkedFeedSchema = named(
  "CheckedFeed",
  z.object({
    url,
    next: time.meta({ description: "When its next turn is" }),
    movedTo: z.string().optional().meta({ description: "Where the feed has moved permanently" }),
    gone: z.literal(true).optional().meta({ description: "The feed is gone for good" }),
  }),
);

/** What became of an update. */
export const receiptSchema = named(
  "Receipt",
  z.object({
    status: z.enum(["published", "queued", "unchanged", "disabled"]),
    url,
    id: z.string().optional().meta({ description: "UUID of the update" }),
    stream: z.string().optional(),
    seq: z.number().int().optional().meta({ description: "Position in the stream, from 1" }),
    time: time.optional(),
    reason: z.string().optional().meta({ description: "Why it is not stored yet" }),
    checked: checkedFeedSchema.optional(),
  }),
);

/** An update as it is received. */
export const updateSchema = named(
  "Update",
  z.object({
    id: z.string().meta({ description: "UUID, the same at every delivery" }),
    url,
    content: content.optional(),
    encoding,
    removed: z.literal(true).optional(),
    metadata: object,
    server: z.string().meta({ description: "The server that published it" }),
    time,
    stream: z.string(),
    seq: z.number().int(),
    superseded: z.boolean().meta({ description: "Whether a newer update of the feed is known" }),
    restored: z.literal(true).optional(),
  }),
);

/** A line for a consumer. */
export const consumerLineSchema = named(
  "ConsumerLine",
  z.object({
    cursor: z.string().meta({ description: "Acknowledges this line and all before it" }),
    update: updateSchema.optional(),
    gap: z.object({
      stream: z.string().nullable(),
      first: z.number().int(),
      last: z.number().int(),
      reason: z.enum(["log", "inbox", "superseded"]),
    }).optional(),
  }),
);

/** The settings of a consumer. */
export const consumerInputSchema = named(
  "ConsumerInput",
  z.strictObject({
    from: z.enum(["newest", "now"]).meta({
      description: "newest: begins with the newest update of every feed; now: with what comes next",
    }),
    own: z.boolean().optional().meta({ description: "Also what this server publishes" }),
  }),
);

/** A consumer. */
export const consumerSchema = named(
  "Consumer",
  z.object({
    name: z.string(),
    from: z.enum(["newest", "now"]),
    own: z.boolean(),
    created: time,
    lastRead: time.nullable(),
    cursor: z.string().meta({ description: "The last one that it acknowledged" }),
    behindUpdates: z.number().int(),
    behindSeconds: z.number(),
  }),
);

/** All consumers. */
export const consumersSchema = named("Consumers", z.array(consumerSchema));

/** An acknowledgement. */
export const ackSchema = named("Ack", z.strictObject({ cursor: z.string() }));

/** Where to go on. */
export const seekSchema = named(
  "Seek",
  z.strictObject({
    to: z.union([z.enum(["newest", "now"]), z.strictObject({ cursor: z.string() })]),
  }),
);

/** A feed in a list. */
export const feedInfoSchema = named(
  "FeedInfo",
  z.object({
    url,
    time,
    server: z.string().optional(),
    removed: z.boolean(),
    size: z.number().optional(),
  }),
);

/** Which feeds are due? */
export const dueInputSchema = named(
  "DueInput",
  z.strictObject({
    urls: z.array(z.string()).max(1_000_000),
    every: duration.meta({ description: 'How often each is to be fetched, such as "15m"' }),
    limit: z.int().nonnegative().optional().meta({ description: "Maximum number of due ones" }),
  }),
);

/** Whether a feed is due. */
export const turnSchema = named(
  "Turn",
  z.object({
    url: z.string().meta({ description: "As asked" }),
    due: z.boolean(),
    validators: z.object({
      etag: z.string().optional(),
      lastModified: z.string().optional(),
    }).optional(),
    headers: z.record(z.string(), z.string()).optional().meta({
      description: "Headers to send with the request",
    }),
    leasedUntil: time.optional(),
    reason: z.enum(["owner", "fresh", "backoff", "leased", "limit", "invalid"]).optional(),
    until: time.optional(),
    owner: z.string().optional(),
    problem: z.string().optional(),
  }),
);

/** Whether feeds are due, in the order of the question. */
export const turnsSchema = named("Turns", z.array(turnSchema));

/** What came of fetching a feed. */
export const checkedInputSchema = named(
  "CheckedInput",
  z.strictObject({
    url,
    status: z.int().min(100).max(999).optional().meta({
      description: "HTTP status of the answer; absent when there was none",
    }),
    headers: z.record(z.string(), z.string()).optional(),
    ttl: duration.optional().meta({
      description: "How long the feed asks not to be fetched again",
    }),
    scope: z.enum(["url", "host", "domain"]).optional().meta({
      description: "What a Retry-After holds for",
    }),
    error: z.string().optional().meta({ description: "What went wrong" }),
    content: content.optional(),
    encoding,
    removed: z.boolean().optional(),
  }),
);

/** A dead letter. */
export const deadLetterSchema = named(
  "DeadLetter",
  z.object({
    id: z.number().int(),
    plugin: z.string(),
    stream: z.string(),
    seq: z.number().int(),
    url,
    error: z.string(),
    time,
    retryAt: time.optional().meta({ description: "When it is retried automatically" }),
    status: z.enum(["applied", "failed"]).optional().meta({ description: "After a retry" }),
  }),
);

/** All dead letters. */
export const deadLettersSchema = named("DeadLetters", z.array(deadLetterSchema));

/** Which dead letters? */
export const retrySchema = named(
  "Retry",
  z.strictObject({ ids: z.array(z.int().positive()).max(10_000).optional() }),
);

/** How many there were. */
export const droppedSchema = named("Dropped", z.object({ dropped: z.number().int() }));

/** What is wrong, or worth knowing. */
export const problemSchema = named(
  "Problem",
  z.object({
    kind: z.string(),
    severity: z.enum(["problem", "note"]),
    servers: z.array(z.string()),
    message: z.string(),
    advice: z.string(),
  }),
);

/** The status of the fleet. */
export const statusSchema = named(
  "FleetStatus",
  z.object({
    store: z.string(),
    time,
    servers: z.array(object.meta({ description: "See docs/status.md" })),
    problems: z.array(problemSchema),
    consumers: z.array(object.meta({ description: "Of all servers" })),
  }),
);

/** All is well. */
export const healthSchema = named("Health", z.object({ status: z.literal("ok") }));
