/**
 * What happens, a sentence a line.
 *
 * @module
 */
import { duration, elapsed, type ServerEvent, type TimelineEvent } from "./events.ts";

/** Renders an event as text, without a newline at the end. */
export function plainLine(event: TimelineEvent): string {
  if (event.event === "act") return `\n${event.text}`;
  return `${elapsed()} ${event.server} ${sentence(event)}`;
}

function sentence(event: ServerEvent): string {
  switch (event.event) {
    case "watching":
      return "watches";
    case "killed":
      return "is killed";
    case "saved":
      return `gets a file: "${event.headline}" (${event.format}, ${event.url})`;
    case "applied":
      return `applied update ${event.seq}: "${event.headline}", ${
        duration(event.ms)
      } after it was saved`;
  }
}
