/**
 * Asks the peers whether they take messages of this server.
 *
 * @module
 */
import { originOf, post } from "../base/http_post.ts";
import { withDeadline } from "../base/deadline.ts";
import { ConfigError, messageOf } from "../errors.ts";
import { serversOf } from "../fleet/status/servers.ts";
import { checkWith } from "../fleet/status/read_status.ts";
import { objectName } from "../log/names.ts";
import { signMessage } from "../wake/send/sign.ts";
import { Signer } from "../wake/signature.ts";
import { type Finding, ok, unchecked, warning, wrong } from "./finding.ts";
import type { Subject } from "./subject.ts";

/** Time limit for the answer of a peer. */
const TIMEOUT_MS = 5_000;

/** Answers of listeners that say that a message is authentic, but no commit. */
const AUTHENTIC = 400;

const SAME_SECRET = "Give all servers the same 'wake.secret'";

/** Checks each peer, whether it is configured or found. */
export async function* checkPeers(subject: Subject): AsyncIterable<Finding> {
  const { wake: { peers, secret } } = subject.config;
  if (secret === undefined || peers.length === 0) return;
  if (peers !== "auto") {
    for (const url of peers) yield await askPeer(url, secret, subject);
  } else if (subject.blocked) yield unchecked("peers", subject.blocked.reason);
  else yield* askFoundPeers(secret, subject);
}

async function* askFoundPeers(secret: string, subject: Subject): AsyncIterable<Finding> {
  const { config: { server, wake }, store } = subject;
  let found: ReturnType<typeof serversOf>;
  try {
    found = serversOf(await subject.fleet(), checkWith(secret, store!.url));
  } catch (error) {
    return yield unchecked("peers", `the presences cannot be read: ${messageOf(error)}`);
  }
  let count = 0;
  for (const { server: name, state, report } of found) {
    const { origin, verdict } = report?.address ?? {};
    if (state === "gone" || name === server || origin === undefined || origin === wake.advertise) {
      continue;
    }
    count++;
    if (verdict === "valid") yield await askPeer(origin, secret, subject);
    else if (verdict === "wrong-secret") yield otherSecret(`${name} at ${origin}`);
    else {yield warning(
        `${name} advertises ${origin}, which peers do not use (${verdict})`,
        "See `feedsync status`",
      );}
  }
  if (count === 0) {
    yield warning("No peer is found in the store", "Set 'wake.advertise' on the other servers");
  }
}

/**
 * Sends a signed message that is about no commit: whoever would take a commit refuses it as such, and
 * does nothing.
 */
async function askPeer(url: string, secret: string, subject: Subject): Promise<Finding> {
  const { environment: { clock, random }, signal } = subject, origin = originOf(url);
  const { key } = objectName({
    ...{ kind: "tail", stream: `check_${random.token()}`, writer: random.token() },
    ...{ first: 1, last: 1 },
  });
  const message = signMessage({ key, body: new Uint8Array([0]) }, new Signer(secret), {
    url: subject.store?.url ?? subject.config.store,
    service: subject.store?.service,
    now: () => clock.now() + (subject.store?.clockOffset ?? 0),
  });
  try {
    const { status, excerpt } = await withDeadline(
      (signal) => post(url.replace(/\/+$/, ""), { path: "/commits", ...message, signal }),
      { clock, timeoutMs: TIMEOUT_MS, signal },
    );
    return verdictOf(status, { origin, excerpt: excerpt.trim() });
  } catch (error) {
    signal.throwIfAborted();
    return warning(
      `The peer ${origin} cannot be reached: ${messageOf(error)}`,
      "See whether `feedsync watch` runs there with 'wake.listen', and what firewalls let pass. " +
        "Until then it finds updates by polling",
    );
  }
}

function verdictOf(
  status: number,
  { origin, excerpt }: { readonly origin: string; readonly excerpt: string },
): Finding {
  if (status === AUTHENTIC) return ok(`The peer ${origin} takes messages of this server`);
  if (status === 401 && /secret/.test(excerpt)) return otherSecret(origin);
  if (status === 401) {
    const what = `The peer ${origin} refuses messages of this server: ${excerpt}`;
    return warning(what, "Set the clocks of both servers");
  }
  if (status === 409) {
    const error = new ConfigError(`Cannot use the peer ${origin}: it uses another store`);
    return wrong(error, "Set the same 'store' on both servers, or remove it from 'wake.peers'");
  }
  const error = new ConfigError(
    `Cannot use the peer ${origin}: it answers ${
      `${status} ${excerpt}`.trim()
    }, not as a listener ` +
      "of feedsync",
  );
  return wrong(error, "Check its URL, and that 'wake.listen' and 'wake.secret' are set there");
}

function otherSecret(peer: string): Finding {
  const error = new ConfigError(`Cannot use the peer ${peer}: it has another 'wake.secret'`);
  return wrong(error, SAME_SECRET);
}
