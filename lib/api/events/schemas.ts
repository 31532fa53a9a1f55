/**
 * The events of `GET /v1/events`. They bear no contents, and what others have written is fit to be
 * shown: on one line, cut, without passwords and without characters that mislead.
 *
 * @module
 */
import * as z from "zod";
import { COLUMNS } from "../../fleet/status/rows.ts";
import { named, problemSchema, time } from "../schemas.ts";

/** How this server is: at the start, and every 15 seconds. */
export const serverEventSchema = named(
  "ServerEvent",
  z.object({
    server: z.string(),
    version: z.string(),
    store: z.string(),
    time,
    behindSeconds: z.number().nullable().meta({
      description: "For how long there has been something left to read; null: it does not read",
    }),
    queued: z.number().int().meta({ description: "Updates that wait for their upload" }),
    queuedSeconds: z.number().meta({ description: "For how long the oldest of them has waited" }),
    published: z.number().int().meta({ description: "Updates stored since the API started" }),
    received: z.number().int().meta({ description: "Updates of others since the API started" }),
    history: z.object({
      behindSeconds: z.array(z.number()),
      queued: z.array(z.number()),
      published: z.array(z.number()),
      received: z.array(z.number()),
    }).meta({ description: "The last half hour: a number for every 15 seconds, the newest last" }),
  }),
);

/** How all servers are, or why that is not known: at the start, and every 15 seconds. */
export const fleetEventSchema = named(
  "FleetEvent",
  z.object({
    time,
    summary: z.string().optional().meta({ description: "The status in one sentence" }),
    servers: z.array(z.object({
      level: z.enum(["gone", "problem", "note", "well"]),
      cells: z.object(Object.fromEntries(COLUMNS.map((column) => [column, z.string()]))),
      urgent: z.array(z.enum(COLUMNS)),
    })).optional().meta({ description: "As `feedsync status` shows them" }),
    problems: z.array(problemSchema).optional(),
    error: z.object({ name: z.string(), message: z.string() }).optional().meta({
      description: "Why all of this is missing",
    }),
  }),
);

/** Dead letters: at the start, and when they have changed. */
export const lettersEventSchema = named(
  "LettersEvent",
  z.object({
    count: z.number().int().meta({ description: "How many there are" }),
    letters: z.array(z.object({
      id: z.number().int(),
      plugin: z.string(),
      url: z.string(),
      error: z.string(),
      time,
      retryAt: time.optional(),
    })).meta({ description: "The oldest 50" }),
  }),
);

/** Updates as they arrive: at the start the last 50, then several times a second. */
export const updatesEventSchema = named(
  "UpdatesEvent",
  z.object({
    total: z.number().int().meta({
      description: "How many have come since the API started, those that are left out here, too",
    }),
    updates: z.array(z.object({
      number: z.number().int().meta({ description: "From 1, since the API started" }),
      id: z.string(),
      url: z.string(),
      server: z.string(),
      time,
      removed: z.literal(true).optional(),
      restored: z.literal(true).optional(),
      own: z.literal(true).optional().meta({ description: "This server has published it" }),
    })).meta({ description: "The newest, at most 50" }),
  }),
);

/** The events by their names. */
export const EVENTS = {
  server: serverEventSchema,
  fleet: fleetEventSchema,
  letters: lettersEventSchema,
  updates: updatesEventSchema,
} as const;

/** The name of an event. */
export type EventName = keyof typeof EVENTS;

/** What the events tell, by their names. */
export type EventData = { readonly [Name in EventName]: z.output<typeof EVENTS[Name]> };
