/**
 * All routes of the API.
 *
 * @module
 */
import type { Route } from "./route.ts";
import { ackConsumer } from "./routes/ack_consumer.ts";
import { deleteConsumer } from "./routes/delete_consumer.ts";
import { deleteDeadLetters } from "./routes/delete_dead_letters.ts";
import { deleteFeed } from "./routes/delete_feed.ts";
import { getConsumerUpdates } from "./routes/get_consumer_updates.ts";
import { getConsumers } from "./routes/get_consumers.ts";
import { getDeadLetters } from "./routes/get_dead_letters.ts";
import { getEvents } from "./routes/get_events.ts";
import { getFeeds } from "./routes/get_feeds.ts";
import { getLivez } from "./routes/get_livez.ts";
import { getMetrics } from "./routes/get_metrics.ts";
import { getOpenapi } from "./routes/get_openapi.ts";
import { getPage } from "./routes/get_page.ts";
import { getPageFile } from "./routes/get_page_file.ts";
import { getReadyz } from "./routes/get_readyz.ts";
import { getStatus } from "./routes/get_status.ts";
import { getUpdate } from "./routes/get_update.ts";
import { postChecked } from "./routes/post_checked.ts";
import { postDue } from "./routes/post_due.ts";
import { postUpdates } from "./routes/post_updates.ts";
import { putConsumer } from "./routes/put_consumer.ts";
import { retryDeadLetters } from "./routes/retry_dead_letters.ts";
import { seekConsumer } from "./routes/seek_consumer.ts";

/** All routes, in the order of the documentation. */
export const ROUTES: readonly Route[] = [
  postUpdates,
  getUpdate,
  deleteFeed,
  getFeeds,
  putConsumer,
  getConsumerUpdates,
  ackConsumer,
  seekConsumer,
  getConsumers,
  deleteConsumer,
  postDue,
  postChecked,
  getDeadLetters,
  retryDeadLetters,
  deleteDeadLetters,
  getStatus,
  getEvents,
  getLivez,
  getReadyz,
  getMetrics,
  getOpenapi,
  getPage,
  getPageFile,
];
