/**
 * Reads the events while the page is visible: a browser allows few connections to a host, and those
 * of hidden pages would take them.
 *
 * @module
 */

/** Delay before the next attempt. */
const RETRY_MS = 2000;

/** Something is told every 15 seconds: after so long the connection is dead. */
const SILENCE_MS = 40_000;

/**
 * `live`: events arrive. `lost`: feedsync does not answer. `refused`: the token is missing or wrong.
 * `hidden`: nobody looks.
 *
 * @typedef {"connecting" | "live" | "lost" | "refused" | "hidden"} ConnectionState
 */

/**
 * @typedef {object} Receiver
 * @property {(name: string, data: unknown) => void} onEvent
 * @property {(state: ConnectionState, reason: string) => void} onState
 */

/**
 * Reads from now on.
 *
 * @param {Receiver} receiver
 */
export function readEvents(receiver) {
  let reading = new AbortController();
  const begin = () => {
    reading.abort();
    if (document.hidden) return receiver.onState("hidden", "");
    reading = new AbortController();
    receiver.onState("connecting", "");
    keepReading(receiver, reading.signal);
  };
  document.addEventListener("visibilitychange", begin);
  addEventListener("pagehide", () => reading.abort());
  addEventListener("pageshow", ({ persisted }) => persisted && begin());
  begin();
}

/**
 * @param {Receiver} receiver
 * @param {AbortSignal} signal
 */
async function keepReading(receiver, signal) {
  while (!signal.aborted) {
    let reason = "";
    try {
      await readOnce(receiver, signal);
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof RefusedError) return receiver.onState("refused", "");
      reason = error instanceof BusyError ? error.message : "";
    }
    if (signal.aborted) return;
    receiver.onState("lost", reason);
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
  }
}

class RefusedError extends Error {}

class BusyError extends Error {}

/**
 * Reads until the connection ends.
 *
 * @param {Receiver} receiver
 * @param {AbortSignal} signal
 */
async function readOnce({ onEvent, onState }, signal) {
  const silence = new AbortController();
  let timer = setTimeout(() => silence.abort(), SILENCE_MS);
  try {
    const response = await fetch("v1/events", {
      cache: "no-store",
      signal: AbortSignal.any([signal, silence.signal]),
    });
    if (response.status === 401) throw new RefusedError();
    if (!response.ok || !response.body) {
      const { error } = await response.json();
      throw new BusyError(String(error.message));
    }
    let rest = "";
    for (const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();;) {
      const { done, value } = await reader.read();
      if (done || signal.aborted) return;
      clearTimeout(timer);
      timer = setTimeout(() => silence.abort(), SILENCE_MS);
      const events = (rest + value).split("\n\n");
      rest = events.pop() ?? "";
      onState("live", "");
      for (const event of events) {
        const [, name, data] = /^event: (\w+)\ndata: (.*)$/.exec(event) ?? [];
        if (name !== undefined) onEvent(name, JSON.parse(data));
      }
    }
  } finally {
    clearTimeout(timer);
  }
}
